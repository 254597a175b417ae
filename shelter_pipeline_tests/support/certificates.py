"""Certificates good and bad, made with openssl on the spot, and servers' TLS contexts that show them.

One `Authority` is a root and an intermediate below it in a folder of the test's own;
`root` is what a client has to trust for the good ones to be good.
"""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CONFIGURATION = """
[ca]
default_ca = this
[this]
dir = {folder}
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:false
subjectAltName = {names}
"""
_DAY = timedelta(days=1)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)


def _moment(days: float) -> str:
    return (datetime.now(UTC) + days * _DAY).strftime("%Y%m%d%H%M%SZ")


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate that signs others, with its key."""

    key: Path
    certificate: Path


class Authority:
    """Root and intermediate, and the leaves that they sign."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index").touch()
        (folder / "serial").write_text("1000\n")
        self._configure("IP:127.0.0.1")
        key, self.root = folder / "root.key", folder / "root.pem"
        self._request("root", "rsa:2048")
        _openssl(
            *("ca", "-batch", "-selfsign", "-config", self._configuration, "-extensions", "authority"),
            *("-startdate", _moment(-10), "-enddate", _moment(10), "-keyfile", key),
            *("-in", folder / "root.csr", "-out", self.root, "-notext"),
        )
        self._root = Signer(key, self.root)
        self._intermediate = self._signed("intermediate", self._root, "authority")

    @property
    def _configuration(self) -> Path:
        return self._folder / "openssl.cnf"

    def _configure(self, names: str) -> None:
        self._configuration.write_text(_CONFIGURATION.format(folder=self._folder, names=names))

    def _request(self, name: str, key: str) -> None:
        _openssl(
            *("req", "-new", "-newkey", key, "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", self._folder / f"{name}.key", "-out", self._folder / f"{name}.csr"),
        )

    def _signed(
        self,
        name: str,
        signer: Signer,
        kind: str,
        *,
        days: tuple[float, float] = (-5, 5),
        key: str = "rsa:2048",
    ) -> Signer:
        self._request(name, key)
        made = Signer(self._folder / f"{name}.key", self._folder / f"{name}.pem")
        _openssl(
            *("ca", "-batch", "-config", self._configuration, "-extensions", kind, "-notext"),
            *("-startdate", _moment(days[0]), "-enddate", _moment(days[1])),
            *("-keyfile", signer.key, "-cert", signer.certificate),
            *("-in", self._folder / f"{name}.csr", "-out", made.certificate),
        )
        return made

    def shows(
        self,
        name: str,
        *,
        days: tuple[float, float] = (-5, 5),
        key: str = "rsa:2048",
        names: str = "IP:127.0.0.1",
        with_chain: bool = True,
    ) -> ssl.SSLContext:
        """A server's context with a leaf of these days of validity, this key and these names."""
        self._configure(names)
        leaf = self._signed(name, self._intermediate, "leaf", days=days, key=key)
        chain = self._intermediate.certificate.read_text() if with_chain else ""
        return _context(leaf, chain)

    def shows_self_signed(self) -> ssl.SSLContext:
        """A server's context with a leaf that nobody but itself vouches for."""
        key, certificate = self._folder / "self.key", self._folder / "self.pem"
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=self"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        )
        return _context(Signer(key, certificate), "")


def _context(leaf: Signer, chain: str) -> ssl.SSLContext:
    both = leaf.certificate.with_suffix(".chain")
    both.write_text(leaf.certificate.read_text() + chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")  # or the server itself refuses to show a weak key
    context.load_cert_chain(both, leaf.key)
    return context
