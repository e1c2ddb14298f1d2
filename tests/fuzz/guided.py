"""One target under atheris: ``python -m tests.fuzz.guided TARGET [libFuzzer's options]``."""

from __future__ import annotations

import sys
from typing import Any


def main() -> None:
    """Instrument the code, then run until libFuzzer has had enough; ends the process."""
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

    fuzzer: Any = atheris
    name = sys.argv.pop(1)
    with fuzzer.instrument_imports(include=["folkmoot"]):
        from tests.fuzz.target import all_targets

        target = all_targets()[name]
    # Instrumented code is some times slower, and other work may run beside it.
    fuzzer.Setup(sys.argv, lambda data: target.run(data, 20.0))
    fuzzer.Fuzz()


if __name__ == "__main__":
    main()
