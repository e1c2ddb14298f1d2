"""Reads config files, and refuses values that are fine alone but not together."""

from __future__ import annotations

from pathlib import Path

from folkmoot.config.load import Document, build, parse_document, read_document
from folkmoot.config.schema import Config


def load_config(file: Path) -> Config:
    """Read a config file; raises ``ConfigError`` with everything that is wrong with it."""
    return _config(read_document(file.absolute()))


def parse_config(source: str, file: Path) -> Config:
    """Read config text as if it stood in ``file``; raises ``ConfigError``."""
    return _config(parse_document(source, file.absolute()))


def _config(document: Document) -> Config:
    config = build(Config, document)
    if config is not None:
        _check_listeners(config, document)
        _check_relay(config, document)
        _check_rest(config, document)
    document.finish()
    assert config is not None  # otherwise a problem was noted
    return config


def _check_listeners(config: Config, document: Document) -> None:
    if not config.listener:
        document.note(("listener",), "expected at least one [[listener]], found none")
    seen: dict[tuple[str, int], int] = {}
    for index, listener in enumerate(config.listener):
        here = ("listener", index)
        place = (listener.address, listener.port)
        if listener.port and place in seen:
            document.note(
                (*here, "port"),
                f"listener[{seen[place]}] has the same address and port already",
            )
        seen[place] = index
        if listener.tls != "none" and not (config.tls.certificate and config.tls.key):
            document.note(
                (*here, "tls"),
                f'"{listener.tls}" needs tls.certificate and tls.key, which are not set',
            )
        if listener.protocol == "http" and listener.tls == "starttls":
            document.wrong((*here, "tls"), '"implicit" or "none" for http', '"starttls"')


def _check_relay(config: Config, document: Document) -> None:
    relay = config.relay
    if relay.password is not None and relay.password_file is not None:
        document.note(("relay", "password_file"), "expected only one of password, password_file")
    has_password = relay.password is not None or relay.password_file is not None
    if (relay.username is not None) != has_password:
        document.note(("relay", "username"), "username and password are only of use together")
    if relay.host is None and relay.username is not None:
        document.note(("relay", "username"), "a login needs relay.host, which is not set")
    if relay.username is not None and relay.tls == "none":
        document.wrong(("relay", "tls"), '"starttls" or "implicit" with a login', '"none"')
    if relay.delay_warning >= relay.give_up_after:
        document.note(
            ("relay", "delay_warning"), "expected a shorter time than relay.give_up_after"
        )


def _check_rest(config: Config, document: Document) -> None:
    if (config.tls.certificate is None) != (config.tls.key is None):
        document.note(("tls",), "certificate and key are only of use together")
    billing = config.billing
    for name, given, file in (
        ("stripe_secret_file", billing.stripe_secret, billing.stripe_secret_file),
        ("btcpay_secret_file", billing.btcpay_secret, billing.btcpay_secret_file),
    ):
        if given is not None and file is not None:
            other = name.removesuffix("_file")
            document.note(("billing", name), f"expected only one of {other}, {name}")
    signed = [entry.domain for entry in config.dkim]
    for index, name in enumerate(signed):
        if name in signed[:index]:
            document.note(("dkim", index, "domain"), f'"{name}" has a key already')
