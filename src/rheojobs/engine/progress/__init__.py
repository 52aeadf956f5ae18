"""Progress reports of a running task: conversion of their numbers, and throttling."""
