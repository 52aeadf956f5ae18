"""Read and check the plan of a batch: files, models, and the options for each.

All errors in a plan are found here, before anything runs. Imports no JAX.
"""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rheojobs.errors import InputError, MissingExtraError, nearest
from rheojobs.inference.batch.own_models import stored
from rheojobs.inference.batch.plan_values import DATA_KEYS, FIT_KEYS, SAMPLE_KEYS, words_of
from rheojobs.inference.batch.yaml_with_lines import Place, PlanText
from rheojobs.inference.models.catalogue import catalogue
from rheojobs.inference.models.labels import label_of
from rheojobs.inference.models.own.reference import is_own
from rheojobs.inference.models.ties import parse_ties
from rheojobs.inference.options.kinds import Number, shown
from rheojobs.inference.options.option import Group, Option

__all__ = ["BatchItem", "BatchPlan"]

TOP = ("files", "models", "data", "fit", "sample", "overrides", "timeout", "out")
OVERRIDE = ("files", "models", "data", "fit", "sample")
DEFAULT_OUT = "batch-results"
TIMEOUT = Option(Number(unit="seconds"), "Seconds that a fit or a sampling may take.", Group.MODEL)

Section = dict[str, Any]


@dataclass(frozen=True)
class BatchItem:
    """One model on one file.

    Attributes
    ----------
    file : Path
        The data.
    name : str
        The file's name in results: relative to the plan if it lies below its folder.
    model : str
        A name of the catalogue, a formula, or a function in a file.
    config : dict
        Settings of the model.
    data, fit : dict
        The given options of reading and fitting, by their names in Python.
    sample : dict or None
        The options of sampling, as `SampleOptions` has them; None if it is not sampled.
    """

    file: Path
    name: str
    model: str
    config: Section = field(default_factory=dict)
    data: Section = field(default_factory=dict)
    fit: Section = field(default_factory=dict)
    sample: Section | None = None

    @property
    def label(self) -> str:
        """The model, with its settings if there are any."""
        return label_of(self.model, self.config)


@dataclass(frozen=True)
class BatchPlan:
    """A whole batch.

    Attributes
    ----------
    items : tuple of BatchItem
        Each model on each file, file after file.
    out : Path
        The folder of the results.
    timeout : float or None
        Seconds that a fit or a sampling may take.
    """

    items: tuple[BatchItem, ...]
    out: Path
    timeout: float | None = None

    @classmethod
    def read(cls, path: Path, out: Path | None = None) -> BatchPlan:
        """Read a YAML plan.

        Parameters
        ----------
        path : Path
            The plan; its paths are relative to its folder.
        out : Path, optional
            Overrides that of the plan.

        Raises
        ------
        InputError
            In one line: the line and the key, what is wrong, and what would be right.
        """
        return _Reader(PlanText.read(path), path.parent).plan(out)

    @classmethod
    def of_files(
        cls,
        patterns: Sequence[str],
        model: str,
        data: Section,
        fit: Section,
        config: Section,
        out: Path | None = None,
    ) -> BatchPlan:
        """Return the plan of one model on all matching files; checked like one that was read."""
        value = {
            "files": list(patterns),
            "models": [{model: config}],
            "data": words_of(DATA_KEYS, data),
            "fit": words_of(FIT_KEYS, fit),
        }
        return _Reader(PlanText("batch", value), Path()).plan(out)


class _Reader:
    """Checks a plan from top to bottom."""

    def __init__(self, text: PlanText, base: Path) -> None:
        self._text = text
        self._base = base
        self._parameters: dict[str, list[str]] = {}

    def plan(self, out: Path | None) -> BatchPlan:
        plan = self._mapping(self._text.value, ())
        self._check_keys(plan, TOP, ())
        for needed in ("files", "models"):
            if not plan.get(needed):
                raise self._text.error((needed,), f"a plan needs {needed}")
        if out is None:
            out = self._base / self._out(plan.get("out", DEFAULT_OUT))
        timeout = self._value(("timeout",), TIMEOUT, plan.get("timeout"))
        base = self._sections(plan, ())
        files = self._files(plan["files"], out)
        models = self._models(plan["models"], ("models",))
        self._check_names(base, models, ())
        overrides = self._overrides(plan.get("overrides"), files, models)
        items = tuple(
            _item(file, name, model, config, [base, *self._matching(overrides, name, model)])
            for file, name in files
            for model, config in models
        )
        for item in items:
            if item.sample is not None and item.fit.get("tied"):
                words = f"parameters can be tied in fits only: {item.label} cannot be sampled"
                raise self._text.error(("sample",), words)
        return BatchPlan(items, out, timeout)

    # ---------------------------------------------------------------- sections

    def _sections(self, given: Section, place: Place) -> Section:
        """Check the sections data, fit and sample of the plan or of an override."""
        sections: Section = {
            "data": self._section(given.get("data"), DATA_KEYS, (*place, "data")),
            "fit": self._section(given.get("fit"), FIT_KEYS, (*place, "fit")),
        }
        if "sample" in given:
            sample = {} if given["sample"] is True else given["sample"]
            sections["sample"] = (
                None
                if sample is None or sample is False
                else self._section(sample, SAMPLE_KEYS, (*place, "sample"))
            )
        return sections

    def _section(self, given: Any, keys: Mapping[str, Option], place: Place) -> Section:
        """Check a section; return its options by their names in Python."""
        section = self._mapping(given, place)
        self._check_keys(section, tuple(keys), place)
        return {
            keys[key].name: self._value((*place, key), keys[key], value)
            for key, value in section.items()
        }

    def _value(self, place: Place, option: Option, value: Any) -> Any:
        if value is None:
            return option.default
        try:
            return option.kind.check(value)
        except MissingExtraError:
            raise
        except InputError as error:
            raise self._text.error(place, error.spelled(_key)) from None

    def _check_names(
        self, sections: Section, models: Iterable[tuple[str, Section]], place: Place
    ) -> None:
        """Check the names of fixed, bounded and tied parameters, for models without settings.

        The parameters of a model with settings are only known when it is loaded by its fit.
        """
        fixed, tied = sections["fit"].get("fixed", {}), sections["fit"].get("tied", {})
        for model in [model for model, config in models if not config]:
            if model not in self._parameters:  # a file is executed by the worker of its fit
                continue
            names = self._parameters[model]
            for key, given in (("fix", fixed), ("bounds", sections["fit"].get("bounds", {}))):
                for name in given:
                    if name not in names:
                        what = "to fix" if key == "fix" else "that could have bounds"
                        words = f"{model} has no parameter {name!r} {what}; {nearest(name, names)}"
                        raise self._text.error((*place, "fit", key, name), words)
            try:
                parse_ties(tied, names, model, list(fixed))
            except InputError as error:
                raise self._text.error((*place, "fit", "tie"), str(error)) from None

    def _out(self, given: Any) -> str:
        if not isinstance(given, str) or not given.strip():
            raise self._text.error(("out",), f"must be the name of a folder, got {given!r}")
        return given

    # ---------------------------------------------------------------- files and models

    def _files(self, given: Any, out: Path) -> list[tuple[Path, str]]:
        """Find the files, with their names in the results."""
        found: dict[str, Path] = {}
        for number, pattern in enumerate(self._list(given, ("files",))):
            place: Place = ("files", number) if isinstance(given, list) else ("files",)
            if not isinstance(pattern, str) or not pattern.strip():
                raise self._text.error(place, f"must be a file or a pattern, got {pattern!r}")
            matches = self._matches(pattern, out)
            if not matches:
                where = (self._base if str(self._base) != "." else Path.cwd()).resolve()
                what = "no file matches" if glob.has_magic(pattern) else "there is no file"
                if (self._base / pattern).is_dir():
                    raise self._text.error(place, f"{pattern!r} is a folder: give '{pattern}/*'")
                raise self._text.error(place, f"{what} {pattern!r} in {where}")
            for path in matches:
                found.setdefault(self._name(path), path)
        return [(path, name) for name, path in found.items()]

    def _matches(self, pattern: str, out: Path) -> list[Path]:
        expanded = Path(pattern).expanduser()
        literal = self._base / expanded
        if literal.is_file():
            return [literal]
        names = glob.glob(str(expanded), root_dir=self._base, recursive=True)
        paths = sorted((self._base / name for name in names), key=_natural)
        # A pattern such as **/*.csv also matches the results of the last batch.
        own = out.resolve()
        return [p for p in paths if p.is_file() and own not in p.resolve().parents]

    def _name(self, path: Path) -> str:
        full, base = path.resolve(), self._base.resolve()
        return full.relative_to(base).as_posix() if full.is_relative_to(base) else full.as_posix()

    def _models(self, given: Any, place: Place) -> list[tuple[str, Section]]:
        self._parameters = {
            info.name: [parameter.name for parameter in info.parameters] for info in catalogue()
        }
        known = self._parameters
        found: dict[str, tuple[str, Section]] = {}
        for number, entry in enumerate(self._list(given, place)):
            here: Place = (*place, number) if isinstance(given, list) else place
            name, config = entry, cast(Section, {})
            if isinstance(entry, dict) and len(entry) == 1:
                ((name, config),) = entry.items()
                config = self._mapping(config, (*here, name))
            if not isinstance(name, str):
                words = f"must be a name, or a name with its settings in braces, got {entry!r}"
                raise self._text.error(here, words)
            if is_own(name):
                name = self._own(name, here)
            elif name not in known:
                raise self._text.error(here, f"there is no model {name!r}; {nearest(name, known)}")
            label = label_of(name, config)
            if label in found:
                raise self._text.error(here, f"the model {label} is given twice")
            found[label] = (name, config)
        return list(found.values())

    def _own(self, name: str, place: Place) -> str:
        """Return the name of a formula, or of a function in a file beside the plan, as stored."""
        try:
            name, names = stored(name, self._base)
        except InputError as error:
            raise self._text.error(place, str(error)) from None
        self._parameters |= {} if names is None else {name: names}
        return name

    # ---------------------------------------------------------------- overrides

    def _overrides(
        self, given: Any, files: list[tuple[Path, str]], models: list[tuple[str, Section]]
    ) -> list[tuple[list[str], list[str], Section]]:
        """Check the overrides; return the patterns, the models and the options of each."""
        overrides = []
        for number, entry in enumerate(self._list(given, ("overrides",)) if given else []):
            place: Place = ("overrides", number)
            override = self._mapping(entry, place)
            self._check_keys(override, OVERRIDE, place)
            if not {"files", "models"} & override.keys():
                raise self._text.error(place, "an override needs files, models or both")
            patterns = self._names(override, "files", place)
            for pattern in patterns:
                if not any(_names_file(pattern, name) for _, name in files):
                    words = f"{pattern!r} matches none of the plan's files"
                    raise self._text.error((*place, "files"), words)
            here = (*place, "models")
            given_names = self._names(override, "models", place)
            names = [self._own(name, here) if is_own(name) else name for name in given_names]
            for name in names:
                known = {model for model, _ in models}
                if name not in known:
                    words = f"{name!r} is none of the plan's models; {nearest(name, known)}"
                    raise self._text.error((*place, "models"), words)
            sections = self._sections(override, place)
            concerned = [one for one in models if not names or one[0] in names]
            self._check_names(sections, concerned, place)
            overrides.append((patterns, names, sections))
        return overrides

    def _names(self, override: Section, key: str, place: Place) -> list[str]:
        names = self._list(override[key], (*place, key)) if key in override else []
        for name in names:
            if not isinstance(name, str):
                raise self._text.error((*place, key), f"must be text, got {name!r}")
        return names

    def _matching(
        self, overrides: list[tuple[list[str], list[str], Section]], name: str, model: str
    ) -> Iterable[Section]:
        for patterns, names, sections in overrides:
            suits = not patterns or any(_names_file(pattern, name) for pattern in patterns)
            if suits and (not names or model in names):
                yield sections

    # ---------------------------------------------------------------- shapes

    def _mapping(self, value: Any, place: Place) -> Section:
        if value is None and place:
            return {}
        if not isinstance(value, dict):
            what = "a plan" if not place else "this"
            raise self._text.error(place, f"{what} must be keys with values, got {shown(value)}")
        return value

    def _list(self, value: Any, place: Place) -> list[Any]:
        if isinstance(value, list):
            return value
        if isinstance(value, str | dict):
            return [value]
        raise self._text.error(place, f"must be a list, got {shown(value)}")

    def _check_keys(self, given: Section, known: Sequence[str], place: Place) -> None:
        for key in given:
            if key not in known:
                raise self._text.error((*place, key), f"unknown key; {nearest(key, known)}")


def _item(
    file: Path, name: str, model: str, config: Section, layers: Iterable[Section]
) -> BatchItem:
    data: Section = {}
    fit: Section = {}
    sample: Section | None = None
    for layer in layers:
        data = _merged(data, layer["data"])
        fit = _merged(fit, layer["fit"])
        if "sample" in layer:
            own = layer["sample"]
            sample = None if own is None else _merged(sample or {}, own)
    return BatchItem(file, name, model, config, data, fit, sample)


def _merged(below: Section, above: Section) -> Section:
    """Override one section by another, merging mappings in it likewise."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = {**merged[key], **value} if both else value
    return merged


def _key(name: str) -> str:
    """Return the key of an option in a plan, given its name in Python."""
    words = {o.name: key for keys in (DATA_KEYS, FIT_KEYS, SAMPLE_KEYS) for key, o in keys.items()}
    return words.get(name, name)


def _names_file(pattern: str, name: str) -> bool:
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(Path(name).name, pattern)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a sort key that orders run2 before run10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
