"""The command line. Every command is loaded when it is called, so that ``--help`` is quick. FORMATS section 8."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from pilotbase.foundation.errors import FaultError, Interrupted, PilotbaseError, UsageError
from pilotbase.foundation.text import Text, printable
from pilotbase.foundation.version import VERSION
from pilotbase.interfaces.cli.language import chosen, hear
from pilotbase.interfaces.cli.say import complain

_HERE = "pilotbase.interfaces.cli"


def _app() -> App:
    said = chosen()
    app = App(
        name="pilotbase",
        version=VERSION,
        help=_WHAT.say(said),
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for name, path, text in _COMMANDS:
        app.command(f"{_HERE}.{path}", name=name, help=text.say(said))
    for group, (text, commands) in _GROUPS.items():
        inner = App(name=group, help=text.say(said), help_format="plaintext")
        for name, path, told in commands:
            inner.command(f"{_HERE}.{path}", name=name, help=told.say(said))
        app.command(inner)
    return app


_WHAT = Text(
    zh="让一个人工智能应用在真实数据上、在隔离环境中走完分阶段中试，得到一份他人可以独立核验的签名结论。",
    en="Takes an AI application through a staged, isolated pilot on real data to a signed verdict others can check.",
)

_COMMANDS: tuple[tuple[str, str, Text], ...] = (
    ("run", "pilots:run", Text(zh="中试：签署方案，走完各阶段，签发结论", en="pilot a candidate to a signed verdict")),
    (
        "rehearse",
        "pilots:rehearse",
        Text(zh="预演：在公开样本上走同一条线，不作结论", en="walk the same line on the public sample"),
    ),
    (
        "plan",
        "pilots:plan",
        Text(zh="只起草方案，不签署：数据能判定什么", en="draft the plan without signing: what the data can decide"),
    ),
    ("verify", "dossiers:verify", Text(zh="逐步核验一份证据档案", en="verify a dossier step by step")),
    (
        "replay",
        "dossiers:replay",
        Text(zh="按档案重跑一遍并比对结果摘要", en="run a dossier's stages again and compare digests"),
    ),
    ("report", "dossiers:report", Text(zh="由档案生成报告", en="write the report of a dossier")),
    ("doctor", "doctor:doctor", Text(zh="检查这台机器的隔离条件", en="check the isolation of this machine")),
)

_GROUPS: dict[str, tuple[Text, tuple[tuple[str, str, Text], ...]]] = {
    "scenarios": (
        Text(zh="应用场景", en="scenarios"),
        (
            ("list", "scenarios:list_", Text(zh="列出可安装和已安装的场景", en="list the scenarios there are")),
            ("show", "scenarios:show", Text(zh="说明一个场景要求什么", en="show what a scenario asks")),
            ("install", "scenarios:install", Text(zh="安装场景及其数据", en="install a scenario with its data")),
            ("sample", "scenarios:sample", Text(zh="导出公开样本", en="export the public sample")),
            ("check", "scenarios:check", Text(zh="检查一个场景包", en="check a scenario pack")),
        ),
    ),
    "keys": (
        Text(zh="基地的密钥", en="the base's keys"),
        (
            ("init", "keys:init", Text(zh="生成签名密钥和基地密钥", en="make the signing key and the base secret")),
            ("list", "keys:list_", Text(zh="列出受信任的公钥", en="list the trusted public keys")),
            (
                "export",
                "keys:export",
                Text(zh="导出公钥，供他人核验", en="export the public keys for others to verify with"),
            ),
            (
                "retire",
                "keys:retire",
                Text(zh="停用密钥（以前的签名仍有效）", en="retire a key; what it signed before stays good"),
            ),
            ("revoke", "keys:revoke", Text(zh="吊销密钥（全部签名作废）", en="revoke a key; nothing it signed counts")),
        ),
    ),
    "new": (
        Text(zh="新建", en="make something new"),
        (
            (
                "candidate",
                "new:candidate",
                Text(zh="由模型或函数新建送测应用", en="make a candidate of a model or function"),
            ),
            ("lock", "new:lock", Text(zh="由 wheel 文件夹生成依赖锁定文件", en="make a requirements.lock of wheels")),
        ),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Nothing that goes wrong prints a traceback."""
    hear(arguments)
    try:
        result = _app()(
            list(sys.argv[1:] if arguments is None else arguments),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except KeyboardInterrupt:
        return complain(Interrupted(_STOPPED, remedy=_RESUME))
    except CycloptsError as error:
        return complain(UsageError(_WORDS, found=printable(str(error), 400), remedy=_HELP))
    except PilotbaseError as error:
        return complain(error)
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except Exception as error:  # noqa: BLE001 - the last wall: an exit code and a sentence instead of a traceback
        return complain(FaultError(_BUG, found=printable(f"{type(error).__name__}: {error}", 400), remedy=_TELL))
    return result if isinstance(result, int) else 0


_STOPPED = Text(zh="已按要求停止；已完成的工作都在台账里", en="stopped as asked; what was done is in the ledger")
_RESUME = Text(zh="用 run --resume 从断点继续", en="go on from there with run --resume")
_WORDS = Text(zh="命令的写法不对", en="the words of the command do not fit")
_HELP = Text(zh="加 --help 查看用法", en="add --help to see how it is used")
_BUG = Text(zh="pilotbase 自身出错", en="pilotbase itself went wrong")
_TELL = Text(
    zh="请把这段信息和 pilotbase doctor --json 的输出一并反馈",
    en="please report this with the output of pilotbase doctor --json",
)
