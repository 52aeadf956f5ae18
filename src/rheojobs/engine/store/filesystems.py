"""Finds out whether a folder is on a network file system.

SQLite's log and the locks of engines only work between processes of one kernel. On a network file
system other machines see neither, and would run the same jobs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["network_type"]

_NETWORK = {"afs", "afpfs", "auristorfs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2"}
_NETWORK |= {"glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs"}
_NETWORK |= {"pvfs2", "smb2", "smb3", "smbfs", "webdav", "wekafs"}
# 9p and virtiofs connect a virtual machine to its host. Only one kernel may use a store there,
# which the table of engines ensures (`leases`), so these are no reason to refuse it.

_NETWORK_FUSE: tuple[str, ...]
_NETWORK_FUSE = ("beegfs", "ceph", "cifs", "curlftpfs", "davfs", "gcsfuse", "glusterfs", "goofys")
_NETWORK_FUSE += ("juicefs", "lustre", "nfs", "rclone", "s3fs", "seaweedfs", "smbnetfs", "sshfs")


def network_type(folder: Path) -> str:
    """Return the type of the network file system that a folder is on; empty if it is on none."""
    kind = _type_on_linux(folder) if sys.platform == "linux" else _type_elsewhere(folder)
    return kind if kind in _NETWORK or _is_network_fuse(kind) else ""


def _is_network_fuse(kind: str) -> bool:
    name = kind.removeprefix("fuse.").removeprefix("macfuse_")
    return name != kind and name.startswith(_NETWORK_FUSE)


def _type_on_linux(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    longest, found = "", ""
    for line in lines:
        # 36 35 98:0 /root /mount/point options… - type source options
        before, _, after = line.partition(" - ")
        point = _unescaped(before.split(" ")[4])
        # The last of several mounts at one place hides the others.
        if len(point) >= len(longest) and _is_within(str(folder), point):
            longest, found = point, after.split(" ")[0]
    return found


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _is_within(folder: str, point: str) -> bool:
    return folder == point or folder.startswith(point.rstrip(os.sep) + os.sep)


def _type_elsewhere(folder: Path) -> str:
    if str(folder).startswith("\\\\"):
        return "smbfs"
    import psutil

    longest, found = "", ""
    for part in psutil.disk_partitions(all=True):
        point = os.path.normcase(part.mountpoint)
        if len(point) >= len(longest) and _is_within(os.path.normcase(folder), point):
            longest, found = point, "smbfs" if "remote" in part.opts.split(",") else part.fstype
    return found.lower()
