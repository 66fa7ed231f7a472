"""``keys``: the base's signing key, its secret, and the public keys that it trusts."""

from __future__ import annotations

from pathlib import Path

from pilotbase.base import keyring
from pilotbase.foundation.clock import stamp
from pilotbase.foundation.text import Text
from pilotbase.interfaces.cli.say import say
from pilotbase.interfaces.cli.screen import table
from pilotbase.interfaces.cli.words import Lang


def init(*, owner: str = "local-base", lang: Lang = None) -> int:
    """Make this base's signing key and, apart from it, the secret from which orders are drawn."""
    del lang
    made = keyring.init(owner)
    say(_MADE.fill(keyid=made.keyid, owner=owner, ring=made.ring))
    return 0


_MADE = Text(
    zh="已生成密钥 {keyid}（{owner}）\n公钥文件：{ring}（可交给核验者）",
    en="made key {keyid} ({owner})\npublic keys: {ring} (give it to those who verify)",
)


def list_(*, lang: Lang = None) -> int:
    """List the public keys that this base trusts."""
    del lang
    rows = [
        (
            key.keyid,
            key.owner,
            stamp(key.valid_from)[:10],
            stamp(key.retired_at)[:10] if key.retired_at else "–",
            stamp(key.revoked_at)[:10] if key.revoked_at else "–",
        )
        for key in keyring.ring().keys
    ]
    table(_HEAD, rows)
    return 0


_HEAD = (
    Text(zh="编号", en="keyid"),
    Text(zh="所有者", en="owner"),
    Text(zh="生效", en="valid from"),
    Text(zh="停用", en="retired"),
    Text(zh="吊销", en="revoked"),
)


def export(out: Path, /, *, lang: Lang = None) -> int:
    """Write the public keys to OUT, for others to verify with."""
    del lang
    keyring.export(out)
    say(_EXPORTED.fill(path=out))
    return 0


_EXPORTED = Text(zh="公钥：{path}", en="public keys: {path}")


def retire(keyid: str, /, *, lang: Lang = None) -> int:
    """Retire a key: it signs no more, and what it signed before stays good."""
    del lang
    keyring.retire(keyid)
    say(_RETIRED.fill(keyid=keyid))
    return 0


_RETIRED = Text(zh="已停用 {keyid}", en="retired {keyid}")


def revoke(keyid: str, /, *, lang: Lang = None) -> int:
    """Revoke a key: nothing that it ever signed counts any more."""
    del lang
    keyring.revoke(keyid)
    say(_REVOKED.fill(keyid=keyid))
    return 0


_REVOKED = Text(zh="已吊销 {keyid}", en="revoked {keyid}")
