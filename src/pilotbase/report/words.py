"""The words of the pages. Sentences that need numbers are made in the module that knows the numbers."""

from __future__ import annotations

from typing import Literal

from pilotbase.foundation.text import Language, Text
from pilotbase.pilot.criteria import Answer, Grade
from pilotbase.pilot.verdict import Outcome

Sign = Literal["yes", "no", "open", "idle"]
"""The four signs of the pages; each has its own shape, so that none is known by colour alone."""

OUTCOMES: dict[Outcome, Text] = {
    "accepted": Text(zh="通过", en="Accepted"),
    "rejected": Text(zh="不通过", en="Rejected"),
    "undecided": Text(zh="证据不足", en="Undecided"),
}
OUTCOME_LINES: dict[Outcome, Text] = {
    "accepted": Text(zh="场景的各项要求均已达到", en="every requirement of the scenario is met"),
    "rejected": Text(zh="至少有一项要求未达到", en="at least one requirement is not met"),
    "undecided": Text(zh="现有证据不足以判定通过或不通过", en="the evidence does not decide either way"),
}
OUTCOME_SIGNS: dict[Outcome, Sign] = {"accepted": "yes", "rejected": "no", "undecided": "open"}

ANSWERS: dict[Answer, Text] = {
    "held": Text(zh="达标", en="held"),
    "refused": Text(zh="不达标", en="refused"),
    "not_shown": Text(zh="证据不足", en="not shown"),
}
ANSWER_SIGNS: dict[Answer, Sign] = {"held": "yes", "refused": "no", "not_shown": "open"}
MARKS: dict[Sign, str] = {"yes": "✓", "no": "✗", "open": "?", "idle": "–"}
"""The signs as characters, for terminals."""

NOT_RUN = Text(zh="未进行", en="not run")

GRADES: dict[Grade, Text] = {
    "exact": Text(zh="精确", en="exact"),
    "finite-sample": Text(zh="有限样本", en="finite-sample"),
    "asymptotic": Text(zh="渐近", en="asymptotic"),
    "observed": Text(zh="直接核查", en="observed"),
}
GRADE_LINES: dict[Grade, Text] = {
    "exact": Text(zh="错误率由样本的确切分布算出。", en="the error rate follows from the exact law of the sample."),
    "finite-sample": Text(zh="错误率在任何样本量下都有上界。", en="the error rate is bounded at every sample size."),
    "asymptotic": Text(
        zh="错误率为大样本近似；只有通过预设的样本量检查后才使用。",
        en="the error rate is a large-sample approximation, used only behind a check of the sample size.",
    ),
    "observed": Text(zh="只核查一次的事实，没有错误率。", en="a fact, checked once; it has no error rate."),
}

COUNTS: dict[str, Text] = {
    "n": Text(zh="计入样本", en="counted"),
    "candidate_failures": Text(zh="其中应用未能应答", en="of these not answered by the application"),
    "invalid": Text(zh="另有无效样本（平台或数据所致）", en="besides, invalid (platform or data)"),
    "positives": Text(zh="阳性", en="positives"),
    "negatives": Text(zh="阴性", en="negatives"),
    "without_group": Text(zh="未注明组别", en="without a group"),
    "hits": Text(zh="答对", en="right"),
    "counted": Text(zh="分母", en="denominator"),
}

SPLITS: dict[str, Text] = {
    "sample": Text(zh="公开样例数据 {rows} 条", en="{rows} rows of the public sample"),
    "diagnostic": Text(zh="诊断数据 {rows} 条", en="{rows} diagnostic rows"),
    "hidden": Text(zh="隐藏数据 {rows} 条", en="{rows} hidden rows"),
    "none": Text(zh="不展示数据", en="shows no rows"),
}
"""What a stage shows to the candidate."""
SAME_ROWS = Text(zh="沿用有效性阶段的记录", en="judges the records of effectiveness")

SECTORS: dict[str, Text] = {
    "manufacturing": Text(zh="制造", en="manufacturing"),
    "healthcare": Text(zh="医疗健康", en="healthcare"),
    "transportation": Text(zh="交通", en="transportation"),
    "finance": Text(zh="金融", en="finance"),
    "energy": Text(zh="能源", en="energy"),
    "other": Text(zh="其他", en="other"),
}
ACTION_AREAS: dict[str, Text] = {
    "science": Text(zh="科学技术", en="science"),
    "industry": Text(zh="产业发展", en="industry"),
    "consumption": Text(zh="消费提质", en="consumption"),
    "welfare": Text(zh="民生福祉", en="public welfare"),
    "governance": Text(zh="治理能力", en="governance"),
    "global": Text(zh="全球合作", en="global cooperation"),
}

COLON: dict[Language, str] = {"zh": "：", "en": ": "}
COMMA: dict[Language, str] = {"zh": "，", "en": ", "}
SEMICOLON: dict[Language, str] = {"zh": "；", "en": "; "}
LISTED: dict[Language, str] = {"zh": "、", "en": ", "}
"""Between the members of a list."""

WORDS: dict[str, Text] = {
    # head and page one
    "house": Text(zh="中试台", en="AI pilot base"),
    "title": Text(zh="中试结论", en="Pilot verdict"),
    "rehearsal_title": Text(zh="预演记录", en="Rehearsal record"),
    "pilot_id": Text(zh="中试编号", en="Pilot"),
    "candidate": Text(zh="送测应用", en="Application"),
    "scenario": Text(zh="应用场景", en="Scenario"),
    "asked": Text(zh="所问", en="What was asked"),
    "why": Text(zh="理由", en="Why"),
    "promise": Text(zh="误判的可能", en="Chance of error"),
    "population": Text(zh="适用范围", en="Holds for"),
    "not_said": Text(zh="结论的局限", en="Limits"),
    "validity": Text(zh="有效期", en="Valid"),
    "from_to": Text(zh="{begin}至{end}", en="{begin} to {end}"),
    "stages_at_a_glance": Text(zh="各阶段", en="Stages"),
    "public_title": Text(zh="公开数据：本结论仅作方法演示", en="Public data: this verdict demonstrates the method"),
    "public_line": Text(
        zh="本场景的隐藏数据任何人都可取得，无法排除应用事先见过这些数据。",
        en="The hidden rows can be had by anyone, so it cannot be ruled out that the application has seen them before.",
    ),
    "signed_by": Text(zh="签发单位", en="Issued by"),
    "name": Text(zh="负责人（签字）", en="Name and signature"),
    "day": Text(zh="日期", en="Date"),
    "seal": Text(zh="（盖章）", en="(seal)"),
    "key": Text(zh="电子签名密钥", en="Signing key"),
    "owner_unknown": Text(zh="（签名者名称未提供）", en="(name of the signer not given)"),
    "sheet_note": Text(
        zh="本页由证据档案生成，便于阅读和签字；具有证明力的是证据档案本身，核验方法见第 {section} 部分。",
        en="This sheet is drawn from the dossier, for reading and signing. What proves is the dossier itself; "
        "section {section} says how to check it.",
    ),
    # criteria
    "criteria": Text(zh="判据与判定", en="Criteria and findings"),
    "reading_title": Text(zh="怎样读图", en="How to read the charts"),
    "legend_dot": Text(zh="估计值", en="estimate"),
    "legend_bar": Text(zh="下界至上界，均为单侧", en="from lower to upper bound, both one-sided"),
    "legend_threshold": Text(zh="要求", en="requirement"),
    "legend_zone": Text(zh="余量区：真值在此，哪种判定都不算错", en="margin: in here either answer is right"),
    "legend_good": Text(zh="达标一侧", en="side that is good enough"),
    "estimate": Text(zh="估计值", en="Estimate"),
    "lower": Text(zh="下界（{sure}）", en="Lower bound ({sure})"),
    "upper": Text(zh="上界（{sure}）", en="Upper bound ({sure})"),
    "required": Text(zh="要求", en="Required"),
    "margin": Text(zh="余量", en="Margin"),
    "evidence": Text(zh="样本", en="Evidence"),
    "wrongly_held": Text(zh="误判达标的概率", en="Wrongly held"),
    "wrongly_refused": Text(zh="误判不达标的概率", en="Wrongly refused"),
    "method": Text(zh="方法", en="Method"),
    "grade": Text(zh="证据等级", en="Grade"),
    "needs": Text(zh="还需要", en="Would need"),
    "needs_rows": Text(
        zh="若估计值不变，共约需 {rows} 个样本方可判定。",
        en="about {rows} samples in all, if the estimate stays where it is.",
    ),
    "needs_far": Text(
        zh="若估计值不变，要一百万个以上的样本方可判定。",
        en="more than a million samples, if the estimate stays where it is.",
    ),
    "needs_none": Text(
        zh="若估计值不变，增加样本也不能判定为达标。",
        en="more samples will not show it, if the estimate stays where it is.",
    ),
    "checked": Text(zh="核查事项", en="Checked"),
    "observed": Text(zh="观察值", en="Observed"),
    "finding": Text(zh="判定", en="Finding"),
    "not_run_why": Text(zh="未进行的原因", en="Why it was not run"),
    "not_run_left": Text(zh="因此没有判定的要求", en="Requirements that therefore have no finding"),
    "grades_title": Text(zh="证据等级", en="Grades of evidence"),
    # pictures
    "pictures": Text(zh="图示", en="Pictures"),
    "pictures_note": Text(
        zh="图只用粗粒度汇总数绘制，以免透露单条数据：曲线的每一段至少含 20 个阳性和 20 个阴性样本，"
        "每一组至少 20 个样本。应用未能应答的样本按最差的应答计入。",
        en="The pictures are drawn from coarse totals, so that no single row can be told from them: each step of the "
        "curve holds at least 20 positives and 20 negatives, each bin and bar at least 20 rows. Rows that the "
        "application did not answer enter as the worst possible answer.",
    ),
    "no_picture": Text(zh="没有绘制：", en="Not drawn: "),
    # the candidate and the data
    "candidate_title": Text(zh="送测应用", en="The application"),
    "claims_note": Text(
        zh="以下为送测方的申报内容，未经核验，不是结论。",
        en="What follows are its makers' own words: claims, not findings.",
    ),
    "summary": Text(zh="简介", en="Summary"),
    "trained_on": Text(zh="训练数据", en="Trained on"),
    "contact": Text(zh="联系方式", en="Contact"),
    "licence": Text(zh="许可证", en="Licence"),
    "adapter": Text(zh="运行方式", en="Runs as"),
    "inputs": Text(zh="索取的输入列", en="Inputs asked for"),
    "data_title": Text(zh="数据", en="The data"),
    "source": Text(zh="来源", en="Source"),
    "package": Text(zh="数据包", en="Package"),
    "package_licence": Text(zh="数据包许可证", en="Licence of the package"),
    "data_licence": Text(zh="数据许可证", en="Licence of the data"),
    "redistribution": Text(zh="再分发", en="Redistribution"),
    "rows": Text(zh="行数", en="Rows"),
    "one_row": Text(zh="一行代表", en="One row is"),
    "hidden_rows": Text(zh="隐藏数据行数", en="Hidden rows"),
    # isolation, resources, environment
    "isolation": Text(zh="隔离", en="Isolation"),
    "isolation_full": Text(
        zh="完整隔离：以下各层均由启动自检逐项确认。",
        en="Full: each layer below was confirmed by the self-test at start.",
    ),
    "isolation_none": Text(
        zh="没有隔离：应用以普通程序的方式运行，不能据此作出结论。",
        en="None: the application ran as an ordinary program, so no verdict can rest on this run.",
    ),
    "layer": Text(zh="隔离层", en="Layer"),
    "state": Text(zh="状态", en="State"),
    "detail": Text(zh="说明", en="Detail"),
    "present": Text(zh="已启用", en="in force"),
    "missing": Text(zh="缺失", en="missing"),
    "optional": Text(zh="（非必需）", en=" (not required)"),
    "kernel": Text(zh="内核", en="Kernel"),
    "bubblewrap": Text(zh="沙箱程序", en="Sandbox program"),
    "filter": Text(zh="系统调用过滤器", en="System-call filter"),
    "resources": Text(zh="资源：限额与用量", en="Resources: limits and use"),
    "metering_note": Text(
        zh="用量从隔离沙箱外部观测，不采信应用自报的数字；CPU 时间和内存为下限，实际用量可能更高。",
        en="Use was seen from outside the cell; nothing rests on what the application says of itself. "
        "CPU time and memory are lower bounds: the true use may have been higher.",
    ),
    "stage": Text(zh="阶段", en="Stage"),
    "wall": Text(zh="历时（秒）", en="Elapsed (s)"),
    "cpu": Text(zh="CPU 时间（秒）", en="CPU time (s)"),
    "memory_peak": Text(zh="内存峰值（MiB）", en="Peak memory (MiB)"),
    "processes_peak": Text(zh="进程与线程峰值", en="Processes and threads"),
    "stderr": Text(zh="错误输出（字节）", en="Error output (bytes)"),
    "limits": Text(zh="限额", en="What it may use"),
    "limit_memory": Text(zh="内存", en="Memory"),
    "limit_scratch": Text(zh="临时空间", en="Scratch space"),
    "limit_call": Text(zh="单批应答", en="One batch"),
    "limit_start": Text(zh="启动", en="Start"),
    "limit_run": Text(zh="单个阶段", en="One stage"),
    "limit_processes": Text(zh="进程数", en="Processes"),
    "no_usage": Text(zh="没有开启过隔离沙箱。", en="No cell was opened."),
    "environment": Text(zh="运行环境", en="Environment"),
    "system": Text(zh="操作系统", en="System"),
    "machine": Text(zh="架构", en="Architecture"),
    "processor": Text(zh="处理器", en="Processor"),
    "cores": Text(zh="核数", en="Cores"),
    "packages": Text(zh="软件包", en="Packages"),
    "variables": Text(zh="传入隔离沙箱的环境变量", en="Variables given to the cell"),
    # verification
    "verification": Text(zh="如何核验", en="How to check this"),
    "verify_note": Text(
        zh="任何人拿到证据档案后都可以离线核验，不需要本平台的任何服务。DIR 是档案所在的文件夹，"
        "keys.json 是您自己信任的公钥清单。",
        en="Anyone who holds the dossier can check it offline, without any service of this platform. DIR is the "
        "dossier's folder, keys.json the list of public keys that you yourself trust.",
    ),
    "verify_first": Text(
        zh="用本软件核验，并由记录重新判定：", en="With this software, judging again from the records:"
    ),
    "verify_second": Text(
        zh="用独立编写的第二个核验程序（单个文件，只依据公开的格式说明写成）：",
        en="With the second, independent verifier (one file, written from the published formats alone):",
    ),
    "proves": Text(zh="证据档案能证明什么", en="What the dossier proves"),
    "proves_not": Text(zh="证据档案不能证明什么", en="What it does not prove"),
    "digests": Text(zh="摘要与编号", en="Digests and names"),
    "digests_note": Text(zh="均为 SHA-256。", en="All are SHA-256."),
    "plan": Text(zh="中试方案", en="Plan"),
    "sealed_at": Text(zh="方案签署时间", en="Plan sealed at"),
    "issued_at": Text(zh="结论签发时间", en="Verdict issued at"),
    "outcome_digest": Text(zh="结果摘要（重放时应一致）", en="Outcome (a replay must give the same)"),
    "order": Text(zh="数据次序的承诺", en="Commitment to the order"),
    "software": Text(zh="本软件", en="This software"),
    "environment_lock": Text(zh="应用的依赖环境", en="Environment of the application"),
    "plugins": Text(zh="插件", en="Plug-ins"),
    "sector": Text(zh="领域与行动方向", en="Sector and action area"),
    # rehearsal
    "rehearsal_mark": Text(zh="预演，不是结论", en="Rehearsal, not a verdict"),
    "rehearsal_note": Text(
        zh="预演在公开样例数据上进行。应用可能就是用这些数据训练的，因此结果往往偏乐观；预演也不要求隔离。"
        "预演不形成结论，不得作为通过的证明。",
        en="A rehearsal runs on the public sample. The application may well have been trained on it, so the figures "
        "tend to be too good; and no isolation is required. It leads to no verdict and is proof of nothing.",
    ),
    "why_not": Text(zh="差在哪里", en="Here is why not"),
    "all_would_pass": Text(zh="各项要求在样例数据上均达标。", en="Every requirement is held on the sample."),
    "made_at": Text(zh="预演时间", en="Rehearsed at"),
}

PROVES: tuple[Text, ...] = (
    Text(zh="文件自签发以来未被改动。", en="The files have not been changed since they were signed."),
    Text(
        zh="在本基地自己的台账中，方案先于记录。这是基地自己的陈述，除非另有见证。",
        en="In the base's own ledger the plan comes before the records. That is the base's word, unless a witness adds "
        "to it.",
    ),
    Text(
        zh="结论由方案和记录推出，任何人可以重算。",
        en="The verdict follows from plan and records, and anyone can compute it again.",
    ),
)
PROVES_NOT: tuple[Text, ...] = (
    Text(
        zh="基地确实运行过该应用，或记录并非捏造。这要靠数据方与送测方的签名、公开日志和重放来印证。",
        en="That the base really ran the application, or did not invent the records. For that there are the signatures "
        "of data owner and applicant, the public log, and replay.",
    ),
    Text(zh="各事件的真实钟点。", en="The hour at which anything happened."),
)
