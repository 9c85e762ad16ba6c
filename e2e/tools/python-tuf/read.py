"""Reads a catalog in a folder with python-tuf, as a client that knows the pinned root alone.

read.py ROOT CATALOG: a line `<sha256> <target>` each; exit code 1 when something is refused. PDP_NOW may set the clock.
"""

import datetime
import hashlib
import os
import pathlib
import sys
import tempfile
import urllib.parse

from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata
from tuf.ngclient import FetcherInterface, Updater


class Folder(FetcherInterface):
    """Serves file:// addresses."""

    def _fetch(self, url):
        path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(url).path))
        if not path.exists():
            raise DownloadHTTPError(f"no {path}", 404)
        yield path.read_bytes()


def main(root, catalog):
    base = pathlib.Path(catalog).resolve().as_uri()
    with tempfile.TemporaryDirectory() as kept:
        updater = Updater(
            metadata_dir=kept,
            metadata_base_url=f"{base}/metadata/",
            target_dir=kept,
            target_base_url=f"{base}/targets/",
            fetcher=Folder(),
            bootstrap=pathlib.Path(root).read_bytes(),
        )
        if "PDP_NOW" in os.environ:
            now = datetime.datetime.fromisoformat(os.environ["PDP_NOW"].replace("Z", "+00:00"))
            updater._trusted_set.reference_time = now
        updater.refresh()
        targets = Metadata.from_file(f"{kept}/targets.json").signed
        names = set(targets.targets)
        for role in (targets.delegations.roles or {}) if targets.delegations else {}:
            # Only names are taken from here; each is looked up by the client below, which checks the role.
            signed = Metadata.from_file(f"{catalog}/metadata/{role}.json").signed
            names |= set(signed.targets)
        for name in sorted(names):
            info = updater.get_targetinfo(name)
            if info is None:
                sys.exit(f"nobody vouches for {name}")
            data = pathlib.Path(updater.download_target(info, f"{kept}/target")).read_bytes()
            print(hashlib.sha256(data).hexdigest(), name)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
