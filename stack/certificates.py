"""An authority and our servers' certificates, for those who have no authority of their own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID = timedelta(days=3 * 365)
SKEW = timedelta(hours=1)  # clocks differ
CURVE = ec.SECP256R1()
AUTHORITY = "Quire's authority"


class Certified(NamedTuple):
    """PEM: a server's private key, and its certificate."""

    key: str
    certificate: str


def issue(servers: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Certified]]:
    """Give a new authority's certificate, and for each server one that names its hosts.

    The authority's key is forgotten: nobody can sign with it later, and renewing is making anew.
    """
    above = ec.generate_private_key(CURVE)
    authority = _signed(AUTHORITY, above, above)
    made: dict[str, Certified] = {}
    for name, hosts in servers.items():
        key = ec.generate_private_key(CURVE)
        pem = _signed(name, key, above, hosts).public_bytes(serialization.Encoding.PEM)
        made[name] = Certified(_private(key), pem.decode())
    return authority.public_bytes(serialization.Encoding.PEM).decode(), made


def is_ours(text: str) -> bool:
    """Whether it is the certificate of an authority that `issue` made."""
    try:
        above = x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        return False
    names = [str(one.value) for one in above.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return names == [AUTHORITY] and above.subject == above.issuer


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    above: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    """An authority's, where there are no hosts."""
    now, is_authority = datetime.now(UTC), not hosts
    usage = x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False
        )
    )
    if hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        made = made.add_extension(names, critical=False)
    return made.sign(above, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
