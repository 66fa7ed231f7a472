"""The words of the commands that several of them share, with their help in the language of this command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilotbase.foundation.text import Language, Text
from pilotbase.interfaces.cli.language import chosen


def told(zh: str, en: str) -> str:
    """Return a help text."""
    return Text(zh, en).say(chosen())


ScenarioName = Annotated[
    str, Parameter(help=told("已安装的场景：领域/名称[@版本]", "an installed scenario: sector/name[@version]"))
]
PackName = Annotated[
    str,
    Parameter(help=told("场景名称，或场景包文件夹的路径（./pack）", "a scenario's name, or a path to a pack (./pack)")),
]
CandidatePath = Annotated[
    Path,
    Parameter(
        help=told("送测应用：文件夹，或 .zip、.tar.gz 压缩包", "the candidate: a folder, or a .zip or .tar.gz of it")
    ),
]
DossierPath = Annotated[Path, Parameter(help=told("证据档案的文件夹", "the dossier's folder"))]
Out = Annotated[
    Path | None,
    Parameter(help=told("档案的位置，默认 dossiers/<编号>", "where the dossier goes; default dossiers/<pilot id>")),
]
Json = Annotated[bool, Parameter(negative=(), help=told("以 JSON 回答", "answer in JSON"))]
Lang = Annotated[Language | None, Parameter(help=told("语言", "language"))]
Wheels = Annotated[
    Path | None,
    Parameter(
        help=told(
            "从此文件夹的 wheel 安装，不访问软件包索引",
            "install from this folder of wheels, not from the package index",
        )
    ),
]
Trust = Annotated[
    Path | None,
    Parameter(
        help=told(
            "信任的公钥 keys.json；默认为本基地的公钥", "keys.json of the bases you trust; default: this base's own"
        )
    ),
]
Resume = Annotated[
    bool,
    Parameter(negative=(), help=told("继续这个应用未完成的中试", "go on with the unfinished pilot of this candidate")),
]
TrustCode = Annotated[
    bool, Parameter(negative=(), help=told("不隔离；结论必为证据不足", "no isolation; the verdict is undecided"))
]
TrustLoader = Annotated[
    bool, Parameter(negative=(), help=told("不隔离地运行场景的载入脚本", "run the pack's loader without isolation"))
]
Seed = Annotated[
    str | None,
    Parameter(help=told("64 个十六进制数字；默认随机", "64 hexadecimal digits; random if not given")),
]
Page = Annotated[Path | None, Parameter(help=told("另写一份网页（HTML）", "write a page about it too (HTML)"))]
