"""Writes ``bad/``: documents that people get wrong, each a sound one with the one fault that names it.

    python tests/pilot/make_bad.py

A test holds the files against this script, and says what a person is told of each.
"""

from __future__ import annotations

from pathlib import Path

BAD = Path(__file__).parent / "bad"

SCENARIO = """\
schema = "pilotbase/scenario/1"
id = "manufacturing/bolts"
version = "1.0.0"
kind = "predict"
sector = "manufacturing"
action_area = "industry"
title = { zh = "螺栓", en = "Bolts" }
question = { zh = "哪些没有拧紧？", en = "Which were not tightened?" }
population = { zh = "一条产线", en = "one line" }
unit = { zh = "螺栓", en = "bolt" }
positive = { zh = "松动的螺栓", en = "loose bolt" }
not_said = []
target = "population"
data_public = true
disclosure = "full"
isolation = ["full"]
valid_for = "90 day"
max_invalid = 0.01
licences = ["MIT"]

[data]
source = { zh = "生成", en = "made" }
package = "none"
package_licence = "MIT"
data_licence = "MIT"
redistribution = { zh = "可", en = "allowed" }
rows = 1400
table = "0000000000000000000000000000000000000000000000000000000000000000"
hidden = "0000000000000000000000000000000000000000000000000000000000000000"

[splits]
unit = "serial"
salt = "bolts/1"
sample = 0.5
diagnostic = 0.1
hidden = 0.4
one_row_per_unit = true

[limits]
memory = "1 GiB"
scratch = "64 MiB"
call = "10 s"
start = "30 s"
run = "5 min"
processes = 16

[contract]
batch_rows = 128

[[contract.output]]
name = "score"
low = 0
high = 1
text = { zh = "概率", en = "probability" }

[[contract.output]]
name = "decision"
low = 0
high = 1
text = { zh = "判断", en = "decision" }

[[contract.columns]]
name = "serial"
role = "unit"
type = "number"
known_at = "decision"
text = { zh = "编号", en = "serial number" }

[[contract.columns]]
name = "torque"
role = "input"
type = "number"
known_at = "decision"
text = { zh = "扭矩", en = "torque" }

[[contract.columns]]
name = "shift"
role = "group"
type = "category"
known_at = "decision"
vocabulary = ["day", "night"]
text = { zh = "班次", en = "shift" }

[[contract.columns]]
name = "loose"
role = "target"
type = "category"
known_at = "later"
vocabulary = ["no", "yes"]
text = { zh = "是否松动", en = "whether it is loose" }

[[stages]]
name = "intake"

[[stages]]
name = "conformance"

[[stages]]
name = "effectiveness"

[[stages.criteria]]
id = "ranks"
text = { zh = "排序", en = "ranks" }
measure = "auroc"
method = "logit-delong/1"
op = ">="
threshold = 0.7
margin = 0.05
alpha = 0.05
beta = 0.05

[[stages.criteria]]
id = "honest"
text = { zh = "概率可信", en = "honest chances" }
measure = "brier"
method = "betting-iid/1"
op = "<="
threshold = 0.25
alpha = 0.05
beta = 0.05

[[stages]]
name = "fairness"

[[stages.criteria]]
id = "alike"
text = { zh = "两班相近", en = "shifts alike" }
measure = "sensitivity_gap"
method = "farrington-manning-gap/1"
op = "<="
threshold = 0.3
alpha = 0.05
beta = 0.05
group = "shift"

[[stages]]
name = "efficiency"

[[stages.criteria]]
id = "quick"
text = { zh = "应答时间", en = "time to answer" }
measure = "latency"
method = "order-statistic/1"
op = "<="
threshold = 2
unit = "s"
alpha = 0.05
beta = 0.05
quantile = 0.99

[[stages.criteria]]
id = "lean"
text = { zh = "内存", en = "memory" }
measure = "peak_memory"
method = "observed/1"
op = "<="
threshold = 536870912
unit = "byte"
"""

CANDIDATE = """\
schema = "pilotbase/candidate/1"
id = "torque-watch"
version = "1.0.0"
kind = "predict"
licence = "MIT"

[run]
adapter = "python"
entry = "predict:predict"

[asks]
inputs = ["torque"]
output = ["score", "decision"]

[card]
summary = { zh = "按扭矩判断。", en = "Judges by the torque." }
trained_on = { zh = "未训练", en = "not trained" }
"""

AUROC = 'measure = "auroc"\nmethod = "logit-delong/1"\nop = ">="\nthreshold = 0.7\nmargin = 0.05\nalpha = 0.05'
GAP = 'threshold = 0.3\nalpha = 0.05\nbeta = 0.05\ngroup = "shift"'
SHIFT = 'name = "shift"\nrole = "group"\ntype = "category"\nknown_at = "decision"\nvocabulary = ["day", "night"]'
OUTPUT = '[[contract.output]]\nname = "decision"\nlow = 0\nhigh = 1\ntext = { zh = "判断", en = "decision" }\n\n'
STAGES = SCENARIO[SCENARIO.index("[[stages]]") :]
LEAN = 'op = "<="\nthreshold = 536870912\nunit = "byte"'

AGAIN = """name = "intake"

[[stages.criteria]]
id = "again"
text = { zh = "许可", en = "licence" }
measure = "licence_known"
method = "observed/1"
op = ">="
threshold = 1
"""
OUTPUTS = SCENARIO[SCENARIO.index("batch_rows") : SCENARIO.index("[[contract.columns]]")]

Change = tuple[str, str]

SCENARIOS: dict[str, Change] = {
    # types and shapes
    "wrong_type": ("batch_rows = 128", 'batch_rows = "128"'),
    "fraction_of_a_row": ("batch_rows = 128", "batch_rows = 12.5"),
    "threshold_no_number": ("threshold = 0.7", 'threshold = "high"'),
    "unknown_field": ('group = "shift"', 'groop = "shift"'),
    "unknown_field_like_none": ("batch_rows = 128", "batch_rows = 128\nzzz = 1"),
    "unknown_language": ('en = "Bolts"', 'en = "Bolts", fr = "Boulons"'),
    "missing_field": ('valid_for = "90 day"\n', ""),
    "missing_field_inside": ('id = "ranks"\n', ""),
    "missing_language": ('title = { zh = "螺栓", en = "Bolts" }', 'title = { zh = "螺栓" }'),
    "empty_text": ('en = "Bolts"', 'en = " "'),
    "control_signs": ('en = "Bolts"', 'en = "Bolts\\u001b[2J"'),
    "turned_line": ('en = "Bolts"', 'en = "Bolts\\u202e"'),
    "unknown_sector": ('sector = "manufacturing"', 'sector = "factory"'),
    "version_not_three_numbers": ('version = "1.0.0"', 'version = "1.0"'),
    "id_without_sector": ('id = "manufacturing/bolts"', 'id = "bolts"'),
    "later_major_version": ("pilotbase/scenario/1", "pilotbase/scenario/2"),
    "another_document": ("pilotbase/scenario/1", "pilotbase/candidate/1"),
    "not_toml": ("[data]", "[data"),
    "key_twice": ('kind = "predict"', 'kind = "predict"\nkind = "predict"'),
    # units and ranges
    "quantity_without_unit": ('memory = "1 GiB"', 'memory = "1"'),
    "memory_in_seconds": ('memory = "1 GiB"', 'memory = "1 s"'),
    "call_in_bytes": ('call = "10 s"', 'call = "10 MiB"'),
    "no_time_at_all": ('call = "10 s"', 'call = "0 s"'),
    "half_a_byte": ('scratch = "64 MiB"', 'scratch = "0.3 B"'),
    "valid_for_ever": ('valid_for = "90 day"', 'valid_for = "999999999 day"'),
    "latency_in_milliseconds": ('threshold = 2\nunit = "s"', 'threshold = 2000\nunit = "ms"'),
    "batch_rows_none": ("batch_rows = 128", "batch_rows = 0"),
    "batch_rows_too_many": ("batch_rows = 128", "batch_rows = 100000"),
    "processes_too_many": ("processes = 16", "processes = 100000"),
    "alpha_past_one_half": (AUROC, AUROC.replace("alpha = 0.05", "alpha = 0.7")),
    "alpha_nought": (AUROC, AUROC.replace("alpha = 0.05", "alpha = 0")),
    "alpha_not_a_number": (AUROC, AUROC.replace("alpha = 0.05", "alpha = nan")),
    "alpha_missing": (AUROC, AUROC.replace("\nalpha = 0.05", "")),
    "alpha_of_a_fact": (LEAN, LEAN + "\nalpha = 0.05"),
    "margin_negative": ("margin = 0.05", "margin = -0.05"),
    "margin_past_the_range": ("margin = 0.05", "margin = 0.4"),
    "margin_of_a_fact": (LEAN, LEAN + "\nmargin = 1"),
    "threshold_past_the_range": ("threshold = 0.7", "threshold = 1.0"),
    "threshold_negative": ("threshold = 0.25", "threshold = -0.25"),
    "threshold_infinite": ("threshold = 0.25", "threshold = inf"),
    "quantile_past_one": ("quantile = 0.99", "quantile = 99"),
    "max_invalid_all": ("max_invalid = 0.01", "max_invalid = 1"),
    "shares_past_one": ("hidden = 0.4", "hidden = 0.5"),
    "share_of_nothing": ("diagnostic = 0.1", "diagnostic = 0"),
    "score_past_one": ('name = "score"\nlow = 0\nhigh = 1', 'name = "score"\nlow = 0\nhigh = 100'),
    "decision_upside_down": ('name = "decision"\nlow = 0\nhigh = 1', 'name = "decision"\nlow = 1\nhigh = 0'),
    # names
    "column_twice": ('name = "torque"', 'name = "serial"'),
    "output_twice": ('name = "decision"\nlow', 'name = "score"\nlow'),
    "word_twice": ('vocabulary = ["day", "night"]', 'vocabulary = ["day", "day"]'),
    "criterion_twice": ('id = "honest"', 'id = "ranks"'),
    "criterion_named_like_the_houses": ('id = "honest"', 'id = "licence_known"'),
    "stage_twice": ('name = "conformance"', 'name = "intake"'),
    # what there is to measure
    "unknown_measure": ('measure = "auroc"', 'measure = "auprc"'),
    "unknown_method": ("logit-delong/1", "logit-delong/9"),
    "method_of_another_measure": ('measure = "auroc"', 'measure = "accuracy"'),
    "measure_of_another_stage": (
        'measure = "auroc"\nmethod = "logit-delong/1"\nop = ">="\nthreshold = 0.7',
        'measure = "latency"\nmethod = "order-statistic/1"\nop = "<="\nunit = "s"\nquantile = 0.9\nthreshold = 0.7',
    ),
    "criterion_at_intake": (
        'name = "intake"\n',
        AGAIN,
    ),
    "bound_from_the_other_side": ('method = "betting-iid/1"\nop = "<="', 'method = "betting-iid/1"\nop = ">="'),
    "gap_without_group": (GAP, GAP.replace('\ngroup = "shift"', "")),
    "group_that_is_no_column": (GAP, GAP.replace("shift", "line")),
    "group_that_is_an_input": (GAP, GAP.replace("shift", "torque")),
    "group_of_one_word": (SHIFT, SHIFT.replace('"day", "night"', '"day"')),
    "group_without_gap": ("margin = 0.05", 'margin = 0.05\ngroup = "shift"'),
    "group_of_numbers": (SHIFT, SHIFT.replace('type = "category"', 'type = "number"').replace('"day", "night"', "")),
    "quantile_missing": ("\nquantile = 0.99", ""),
    "quantile_of_a_mean": ("threshold = 0.25", "threshold = 0.25\nquantile = 0.5"),
    "output_missing": (OUTPUT, ""),
    "output_none": (OUTPUTS, "batch_rows = 1\noutput = []\n\n"),
    # what fits together
    "stages_none": (STAGES, "\n"),
    "stages_out_of_order": (
        'name = "intake"\n\n[[stages]]\nname = "conformance"', 'name = "conformance"\n\n[[stages]]\nname = "intake"'
    ),
    "stage_intake_missing": ('[[stages]]\nname = "intake"\n\n', ""),
    "stage_conformance_missing": ('[[stages]]\nname = "conformance"\n\n', ""),
    "intake_that_lets_all_through": ('name = "intake"', 'name = "intake"\ncontinue = true'),
    "disclosure_full_of_secret_data": ("data_public = true", "data_public = false"),
    "isolation_none": ('isolation = ["full"]', "isolation = []"),
    "licences_none": ('licences = ["MIT"]', "licences = []"),
    "unit_that_is_no_unit": ('unit = "serial"', 'unit = "torque"'),
    "target_missing": ('role = "target"', 'role = "judge_only"'),
    "target_of_three_words": ('vocabulary = ["no", "yes"]', 'vocabulary = ["no", "yes", "maybe"]'),
    "nothing_to_serve": ('name = "torque"\nrole = "input"', 'name = "torque"\nrole = "judge_only"'),
    "number_with_words": ('text = { zh = "扭矩"', 'vocabulary = ["a"]\ntext = { zh = "扭矩"'),
    "category_without_words": ('vocabulary = ["day", "night"]\n', ""),
}  # fmt: skip

CANDIDATES: dict[str, Change] = {
    "wrong_type": ('inputs = ["torque"]', 'inputs = "torque"'),
    "unknown_field": ("adapter =", "adaptor ="),
    "missing_field": ('licence = "MIT"\n', ""),
    "missing_table": (CANDIDATE[CANDIDATE.index("[card]") :], ""),
    "unknown_adapter": ('adapter = "python"', 'adapter = "pickle"'),
    "id_with_spaces": ('id = "torque-watch"', 'id = "torque watch"'),
    "requirements_outside": ('entry = "predict:predict"', 'entry = "predict:predict"\nrequirements = "../lock"'),
    "no_inputs": ('inputs = ["torque"]', "inputs = []"),
    "input_twice": ('inputs = ["torque"]', 'inputs = ["torque", "torque"]'),
    "output_twice": ('"score", "decision"', '"score", "score"'),
    "threshold_of_a_function": ('entry = "predict:predict"', 'entry = "predict:predict"\nthreshold = 0.5'),
    "threshold_not_a_number": (
        'adapter = "python"\nentry = "predict:predict"', 'adapter = "onnx"\nentry = "model.onnx"\nthreshold = nan'
    ),
    "licence_empty": ('licence = "MIT"', 'licence = " "'),
    "control_signs": ('en = "not trained"', 'en = "not\\u0007 trained"'),
    "another_document": ("pilotbase/candidate/1", "pilotbase/scenario/1"),
}  # fmt: skip


def documents() -> dict[str, bytes]:
    """Return every bad file by its name."""
    made = {}
    for kind, sound, changes in (("scenario", SCENARIO, SCENARIOS), ("candidate", CANDIDATE, CANDIDATES)):
        for name, (old, new) in changes.items():
            assert sound.count(old) >= 1, (name, old)
            made[f"{kind}_{name}.toml"] = sound.replace(old, new, 1).encode()
    made["undecidable_brier.toml"] = SCENARIO.replace("threshold = 0.25", "threshold = 0.001").encode()
    made["undecidable_gap.toml"] = SCENARIO.replace("threshold = 0.3", "threshold = 0.01").encode()
    made["undecidable_auroc.toml"] = SCENARIO.replace("threshold = 0.7\nmargin = 0.05", "threshold = 0.97").encode()
    made["undecidable_latency.toml"] = SCENARIO.replace("quantile = 0.99", "quantile = 0.999").encode()
    made["scenario_not_utf8.toml"] = SCENARIO.replace("螺栓", "@", 1).encode().replace(b"@", b"\xc2\xdd")  # GBK
    return made


if __name__ == "__main__":
    BAD.mkdir(exist_ok=True)
    for old_file in BAD.glob("*.toml"):
        old_file.unlink()
    for file_name, data in documents().items():
        (BAD / file_name).write_bytes(data)
