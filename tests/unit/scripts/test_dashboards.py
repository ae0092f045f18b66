"""Dashboards and alerts ask for metrics and labels that the programs have, and say what to look at or to do."""

import json
import re

import check_english
import features
import promql
import pytest
import yaml
from conftest import ROOT

DASHBOARDS = sorted((ROOT / "deploy/grafana").glob("*.json"))
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
ALERT_TESTS = ROOT / "deploy/prometheus/alerts_test.yaml"
METRICS = promql.declared((ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8"))
HOW_TO = (ROOT / "docs/how-to/watch-the-programs.md").read_text(encoding="utf-8")

# Units that Grafana has and these dashboards use.
UNITS = {"short", "percentunit", "reqps", "ops", "ms", "s", "bytes", "currencyUSD", "bool_yes_no"}
# An address, or a name with a top-level domain. `docs/...md` and `llm.audit` are none.
HOST = re.compile(r"https?:|localhost|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\w-]+\.(?:com|org|net|io|dev|local|internal|test)\b|:\d{4,5}\b", re.I)


# --- what is wrong with a dashboard -------------------------------------------------------------------------------------


def text_faults(text: str) -> list:
    """What makes a description no help."""
    faults = [] if re.fullmatch(r"[A-Z\d/].{20,}\.", text or "", re.S) else [f"'{text}' is no sentence"]
    faults += [f"'{text}': {pattern}" for pattern in check_english.IDIOMS if re.search(pattern, text or "", re.I)]
    for sentence in re.split(r"(?<=[.!?:;])\s+", text or ""):
        if len(sentence.split()) > check_english.WORDS_MAX:
            faults.append(f"a sentence is too long: {sentence[:40]}")
    return faults


def query_faults(expression: str, legend: str) -> list:
    try:
        labels = promql.labels_of(expression, METRICS)
    except promql.Fault as fault:
        return [str(fault)]
    if not legend:
        return ["a query has no legend"]
    return [f"the legend names {name}, which the result does not have"
            for name in re.findall(r"{{\s*(\w+)\s*}}", legend) if name not in labels]


def variable_faults(variable: dict) -> list:
    if variable["type"] != "query":
        return []
    match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
    if not match:
        return [f"'{variable['query']['query']}' asks for no label"]
    try:
        labels = promql.labels_of(match[1], METRICS)
    except promql.Fault as fault:
        return [str(fault)]
    return [] if match[2] in labels else [f"{match[1]} has no label {match[2]}"]


def source_faults(part: dict) -> list:
    return [] if part.get("datasource") == {"type": "prometheus", "uid": "${datasource}"} else ["its data source is not the variable"]


def panel_faults(panel: dict) -> list:
    faults = [] if panel.get("title") else ["it has no title"]
    if panel["type"] == "row":
        return faults
    faults += text_faults(panel.get("description"))
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
    faults += [] if unit in UNITS else [f"its unit '{unit}' is none of {', '.join(sorted(UNITS))}"]
    faults += source_faults(panel)
    faults += [] if panel.get("targets") else ["it has no query"]
    for target in panel.get("targets", []):
        faults += source_faults(target) + query_faults(target["expr"], target.get("legendFormat"))
    return faults


def dashboard_faults(dashboard: dict) -> list:
    variables = dashboard["templating"]["list"]
    names = {variable["name"] for variable in variables}
    faults = [f"variable {variable['name']}: {fault}" for variable in variables for fault in variable_faults(variable)]
    if {"datasource"} - names or variables[0]["type"] != "datasource":
        faults.append("its first variable is not the data source")
    faults += text_faults(dashboard.get("description"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    faults += ["two panels have one id"] if len(set(ids)) < len(ids) else []
    for panel in dashboard["panels"]:
        faults += [f"{panel.get('title')}: {fault}" for fault in panel_faults(panel)]
    text = json.dumps(dashboard["panels"] + variables)
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    faults += [f"there is no variable {name}" for name in sorted(used - names)]
    faults += [f"nothing uses the variable {name}" for name in sorted(names - used)]
    faults += [f"it names the host {host}" for host in HOST.findall(json.dumps(dashboard))]
    return faults


def overlaps(panels: list) -> list:
    cells, found = set(), []
    for panel in panels:
        place = panel["gridPos"]
        mine = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        if mine & cells or place["x"] + place["w"] > 24:
            found.append(panel["title"])
        cells |= mine
    return found


def read(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def panels_with(dashboard: str, *metrics: str) -> set:
    """The metrics, of these, that a panel of the dashboard shows."""
    text = json.dumps(read(ROOT / "deploy/grafana" / dashboard)["panels"])
    return {metric for metric in metrics if metric in text}


# --- dashboards ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_asks_for_metrics_that_are_there(path):
    dashboard = read(path)
    assert dashboard_faults(dashboard) == []
    assert overlaps(dashboard["panels"]) == []


def test_each_dashboard_has_an_id_of_its_own():
    ids = [read(path)["uid"] for path in DASHBOARDS]
    assert len(ids) == 3 and len(set(ids)) == 3
    assert all(re.fullmatch(r"tokenrail-[a-z-]{1,30}", uid) for uid in ids)
    assert len({read(path)["title"] for path in DASHBOARDS}) == 3


def queries(dashboard: str, title: str) -> list:
    panel = next(panel for panel in read(ROOT / "deploy/grafana" / dashboard)["panels"] if panel["title"] == title)
    return [(target["expr"], promql.labels_of(target["expr"], METRICS)) for target in panel["targets"]]


def test_use_of_models_is_shown_by_organisation():
    [(expression, labels)] = queries("use.json", "Most used models of organisations")
    assert "llm_requests_total" in expression and labels == {"orgId", "provider", "modelName"}
    for title, metric in (("Attempts by organisation", "llm_requests_total"), ("Input tokens by organisation", "llm_tokens_input_total"),
                          ("Output tokens by organisation", "llm_tokens_output_total")):
        [(expression, labels)] = queries("use.json", title)
        assert metric in expression and labels == {"orgId"}


def test_cost_is_shown_by_organisation_and_model():
    for title, by in (("Cost by organisation", {"orgId"}), ("Cost by model", {"provider", "modelName"}),
                      ("Cost by organisation and model", {"orgId", "provider", "modelName"})):
        [(expression, labels)] = queries("use.json", title)
        assert "llm_cost_micros_total" in expression and "/ 1e6" in expression and labels == by


def test_latency_and_errors_are_shown_by_provider_and_model():
    for share in ("median", "95 %", "99 %"):
        [(expression, labels)] = queries("providers.json", f"Time to the end of an answer, {share}")
        assert "llm_request_duration_ms_bucket" in expression and labels == {"provider", "modelName"}
    for title, by in (("Failed, by provider", {"provider"}), ("Failed, by model", {"provider", "modelName"})):
        [(expression, labels)] = queries("providers.json", title)
        assert 'outcome=~"failed"' in expression and labels == by


def test_performance_shows_first_token_waiting_and_speed():
    for title, metric in (("Time to the first token", "tokenrail_router_first_token_ms_bucket"), ("Time before dispatch", "tokenrail_router_queued_ms_bucket"),
                          ("Output tokens a second of an attempt", "llm_tokens_output_total")):
        assert all(metric in expression for expression, _ in queries("providers.json", title))


def test_every_metric_that_needs_a_person_has_a_panel():
    needed = ("tokenrail_router_partitions", "kafka_consumer_lag_records", "tokenrail_loop_turn_ms", "tokenrail_router_dead_letters_waiting",
              "tokenrail_router_refused_waiting", "kafka_records_refused_total", "kafka_topic_blocked", "tokenrail_router_requests_lost_total",
              "registry_sync_runs_total", "registry_sync_leader", "registry_outbox_oldest_seconds", "registry_api_requests_total")
    assert panels_with("operation.json", *needed) == set(needed)


# --- alerts -------------------------------------------------------------------------------------------------------------


def rules(path=ALERTS) -> list:
    return [rule for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def pointer_fault(text: str) -> str:
    match = re.fullmatch(r'(docs/[\w./-]+\.md), section "([^"]+)"', text or "")
    if not match or not (ROOT / match[1]).is_file():
        return f"'{text}' names no page and section"
    anchor = re.sub(r"[^\w\- ]", "", match[2].lower()).replace(" ", "-")
    return "" if anchor in features.anchors((ROOT / match[1]).read_text(encoding="utf-8")) else f"{match[1]} has no section '{match[2]}'"


def rule_faults(rule: dict) -> list:
    notes = rule.get("annotations", {})
    faults = [] if re.fullmatch(r"Tokenrail[A-Z]\w+", rule["alert"]) else ["its name does not begin with Tokenrail"]
    faults += [] if rule.get("labels", {}).get("severity") in ("critical", "warning", "info") else ["it has no severity"]
    faults += [] if len(notes.get("summary", "")) > 20 else ["it has no summary"]
    faults += text_faults(notes.get("description"))
    faults += [pointer_fault(notes.get("read"))] if pointer_fault(notes.get("read")) else []
    try:
        labels = promql.labels_of(rule["expr"], METRICS)
    except promql.Fault as fault:
        return [*faults, str(fault)]
    used = re.findall(r"\$labels\.(\w+)", json.dumps(notes))
    faults += [f"it names the label {name}, which its result does not have" for name in used if name not in labels]
    faults += [f"it names the host {host}" for host in HOST.findall(re.sub(r"\$labels\.\w+", "", json.dumps(rule)))]
    return faults


def test_alerts_ask_for_metrics_that_are_there_and_say_what_to_do():
    assert [f"{rule['alert']}: {fault}" for rule in rules() for fault in rule_faults(rule)] == []


def test_each_alert_has_its_own_name_and_line():
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    listed = re.findall(r"^\| `(Tokenrail\w+)` \| (\w+) \|", HOW_TO, re.M)
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in rules()]


def alert_tests() -> list:
    return yaml.safe_load(ALERT_TESTS.read_text(encoding="utf-8"))["tests"]


def test_each_alert_is_played_silent_and_firing():
    """`promtool test rules` plays alerts_test.yaml; this checks that every alert is in it."""
    fires, silent = set(), set()
    for test in alert_tests():
        for check in test["promql_expr_test"]:
            (fires if check["exp_samples"] else silent).update(re.findall(r'alertname="(\w+)"', check["expr"]))
    assert fires == silent == {rule["alert"] for rule in rules()}


def series_fault(series: str) -> str:
    name, labels = re.fullmatch(r"(\w+)\{(.*)\}", series).groups()
    found = {label for label, _ in re.findall(r'(\w+)="([^"]*)"', labels)}
    try:
        expected = promql.labels_of(re.sub(r'"[^"]*"', '"$any"', series), METRICS)
    except promql.Fault as fault:
        return str(fault)
    return "" if found == expected else f"{name} has the labels {sorted(expected)}"


def test_alerts_are_played_with_series_that_the_programs_write():
    series = [each["series"] for test in alert_tests() for each in test["input_series"]]
    assert len(series) > 50 and [fault for each in series if (fault := series_fault(each))] == []
    assert series_fault('kafka_topic_blocked{job="a", instance="b"}') == "kafka_topic_blocked has the labels ['instance', 'job', 'topic']"
    assert series_fault('kafka_topic_full{job="a", instance="b"}') == "no program has the metric kafka_topic_full"


def test_bounds_of_buckets_are_those_that_the_programs_write():
    source = (ROOT / "common/telemetry/loop_turns.cpp").read_text(encoding="utf-8")
    bounds = re.search(r'"tokenrail_loop_turn_ms"\),\s*\{([^}]*)\}', source)[1].replace("'", "").split(",")
    text = ALERTS.read_text(encoding="utf-8") + "".join(path.read_text(encoding="utf-8") for path in DASHBOARDS).replace('\\"', '"')
    asked = re.findall(r'(\w+)\{[^}]*\ble="([^"]+)"', text)
    assert asked and all(name == "tokenrail_loop_turn_ms_bucket" for name, _ in asked)
    assert {bound for _, bound in asked} <= {bound.strip() for bound in bounds}


def test_the_page_scrapes_the_jobs_that_are_asked_for():
    jobs = re.findall(r"job_name: (\S+)", HOW_TO)
    assert jobs == ["tokenrail-router", "tokenrail-registry-sync", "tokenrail-registry-api"]
    asked = set(re.findall(r'job=~\\?"([^"\\]+)', ALERTS.read_text() + "".join(path.read_text() for path in DASHBOARDS)))
    assert asked and all(re.fullmatch(pattern, job) for pattern in asked for job in jobs)


# --- the checks find what is wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression, fault", [
    ("sum(llm_request_total)", "no program has the metric llm_request_total"),
    ('sum(rate(llm_requests_total{model="a"}[5m]))', "llm_requests_total has no label model"),
    ('sum(rate(llm_requests_total{outcome="faild"}[5m]))', "the page names no outcome 'faild'"),
    ('sum(rate(llm_requests_total{outcome=~"failed|lost"}[5m]))', "the page names no outcome 'lost'"),
    ("sum by (org) (rate(llm_requests_total[5m]))", r"by \(org\): the series have no such label"),
    ("sum without (org) (rate(llm_requests_total[5m]))", r"without \(org\): the series have no such label"),
    ("sum by (orgId) (rate(llm_request_duration_ms_sum[5m]))", r"by \(orgId\): the series have no such label"),
    ("rate(llm_request_duration_ms[5m])", "llm_request_duration_ms is a histogram"),
    ("rate(llm_requests_total_bucket[5m])", "llm_requests_total is a counter"),
    ("rate(tokenrail_router_partitions[5m])", "rate is not for a gauge"),
    ("max_over_time(llm_requests_total[5m])", "max_over_time is not for a counter"),
    ("increase(llm_requests_total)", "increase needs a range"),
    ("histogram_quantile(0.5, sum by (provider) (rate(llm_request_duration_ms_bucket[5m])))", "needs the label le"),
    ("histogram_quantile(0.5, rate(llm_request_duration_ms_sum[5m]))", "needs the label le"),
    ("sum by (provider) (rate(llm_cost_micros_total[5m])) / sum(rate(llm_tokens_output_total[5m]))", "never match"),
    ("rate(tokenrail_loop_turn_ms_count[5m]) - rate(tokenrail_loop_turn_ms_bucket[5m])", "never match"),
    ("registry_outbox_rows and on (topic) registry_sync_leader", r"on \(topic\): the sides have no such label"),
    ("llm_requests_total or 1", "'or' has a number at one side"),
    ("llm_requests_total[5m]", "the result is no vector"),
    ("quantile_of(llm_requests_total)", "the function quantile_of is not known here"),
    ("sum(llm_requests_total", r"'\)' is expected"),
    ("sum(llm_requests_total))", r"'\)' is not expected"),
    ('sum(llm_requests_total{outcome})', "is no matcher"),
    ('sum(llm_requests_total{outcome == "a"})', "is no matcher"),
    ("llm_requests_total[5]", "'5' is no duration"),
    ("llm_requests_total ! 1", "cannot read"),
    ("topk(llm_requests_total, 5)", "topk begins with a number"),
])
def test_a_wrong_query_is_found(expression, fault):
    with pytest.raises(promql.Fault, match=fault):
        promql.labels_of(expression, METRICS)


@pytest.mark.parametrize("expression, labels", [
    ("up", {"job", "instance"}),
    ("sum(llm_requests_total)", set()),
    ("kafka_brokers_up == 0", {"job", "instance", "client"}),
    ("-(sum by (job) (up)) * 2 + 1.5e3", {"job"}),
    ("max without (instance) (kafka_topic_blocked offset 5m)", {"job", "topic"}),
    ("topk(3, kafka_brokers_up)", {"job", "instance", "client"}),
    ("absent(registry_sync_leader == 1)", set()),
    ("max_over_time(kafka_brokers_up[5m]) and on (job, instance) up", {"job", "instance", "client"}),
    ("tokenrail_loop_turn_ms_count - ignoring (le) tokenrail_loop_turn_ms_bucket", {"job", "instance"}),
    ('histogram_quantile(0.9, rate(llm_request_duration_ms_bucket{provider=~"$provider"}[$__rate_interval]))', {"job", "instance", "provider", "modelName"}),
])
def test_labels_of_a_result(expression, labels):
    assert promql.labels_of(expression, METRICS) == labels


def set_in(dashboard: dict, path: list, value):
    for key in path[:-1]:
        dashboard = dashboard[key]
    if value is None:
        del dashboard[path[-1]]
    else:
        dashboard[path[-1]] = value


@pytest.mark.parametrize("path, value, fault", [
    (["panels", 1, "title"], "", "it has no title"),
    (["panels", 0, "title"], None, "it has no title"),
    (["panels", 1, "description"], None, "is no sentence"),
    (["panels", 1, "description"], "Attempts", "is no sentence"),
    (["panels", 1, "description"], "The processes are told of it in time.", "told"),
    (["panels", 1, "description"], "A " + "very " * 40 + "long one.", "a sentence is too long"),
    (["panels", 1, "fieldConfig", "defaults", "unit"], None, "its unit 'None' is none of"),
    (["panels", 1, "fieldConfig", "defaults", "unit"], "parsecs", "its unit 'parsecs' is none of"),
    (["panels", 1, "targets"], [], "it has no query"),
    (["panels", 1, "targets", 0, "legendFormat"], "", "a query has no legend"),
    (["panels", 1, "targets", 0, "legendFormat"], "{{ orgId }}", "the legend names orgId"),
    (["panels", 1, "targets", 0, "expr"], "sum(rate(nothing_total[5m]))", "no program has the metric nothing_total"),
    (["panels", 1, "targets", 0, "expr"], 'sum(llm_requests_total{orgId=~"$organisation"})', "there is no variable organisation"),
    (["panels", 1, "datasource"], {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}, "its data source is not the variable"),
    (["panels", 1, "targets", 0, "datasource"], None, "its data source is not the variable"),
    (["panels", 1, "id"], 1, "two panels have one id"),
    (["panels", 1, "description"], "Look at http://grafana.example.org/ for more of it.", "it names the host"),
    (["panels", 1, "description"], "Look at the port 10.0.0.7 of the first router.", "it names the host 10.0.0.7"),
    (["templating", "list", 0, "type"], "constant", "its first variable is not the data source"),
    (["templating", "list", 1, "query", "query"], "label_values(llm_requests_total, org)", "has no label org"),
    (["templating", "list", 1, "query", "query"], "label_values(llm_request_total, orgId)", "no program has the metric"),
    (["templating", "list", 1, "query", "query"], "query_result(up)", "asks for no label"),
    (["templating", "list", 1, "name"], "tenant", "nothing uses the variable tenant"),
])
def test_a_wrong_dashboard_is_found(path, value, fault):
    dashboard = read(ROOT / "deploy/grafana/use.json")
    set_in(dashboard, path, value)
    assert any(fault in found for found in dashboard_faults(dashboard))


def test_panels_that_overlap_are_found():
    panels = read(ROOT / "deploy/grafana/use.json")["panels"]
    panels[2]["gridPos"] = panels[1]["gridPos"]
    assert overlaps(panels) == [panels[2]["title"]]


@pytest.mark.parametrize("path, value, fault", [
    (["alert"], "WorkerLost", "its name does not begin with Tokenrail"),
    (["labels"], {"severity": "loud"}, "it has no severity"),
    (["annotations", "summary"], None, "it has no summary"),
    (["annotations", "description"], None, "is no sentence"),
    (["annotations", "read"], None, "names no page and section"),
    (["annotations", "read"], 'docs/none.md, section "A"', "names no page and section"),
    (["annotations", "read"], 'docs/how-to/operate-routers.md, section "Nowhere"', "has no section 'Nowhere'"),
    (["annotations", "summary"], "The topic {{ $labels.topic }} is away", "it names the label topic"),
    (["annotations", "summary"], "See https://alerts.example.org for more", "it names the host"),
    (["expr"], "sum(uptime)", "no program has the metric uptime"),
])
def test_a_wrong_alert_is_found(path, value, fault):
    rule = rules()[0]
    set_in(rule, path, value)
    assert any(fault in found for found in rule_faults(rule))
