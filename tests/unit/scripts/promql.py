"""Reads PromQL well enough to find what no Prometheus reports: metrics and labels that no program writes.

labels_of(expression, metrics) gives the labels of the result, and raises Fault where the expression names a metric or a
label that is not declared, or where two sides can never match."""

import re
from typing import NamedTuple

TOKEN = re.compile(r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<duration>\d+(?:ms|[smhdwy])(?![\w.]))
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
  | (?P<name>[A-Za-z_:][\w:]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^(){}\[\],=<>])
)""", re.VERBOSE)

AGGREGATIONS = {"sum", "min", "max", "avg", "count"}
AGGREGATIONS_WITH_NUMBER = {"topk", "bottomk"}
OF_COUNTERS = {"rate", "increase"}
OF_GAUGES = {"max_over_time", "min_over_time", "avg_over_time"}
PRECEDENCE = [["or"], ["and", "unless"], ["==", "!=", "<=", ">=", "<", ">"], ["+", "-"], ["*", "/", "%"]]
SETS = {"or", "and", "unless"}
OF_PROMETHEUS = {"job", "instance"}  # Prometheus adds them to every series


class Fault(Exception):
    pass


class Metric(NamedTuple):
    type: str
    labels: frozenset
    words: str  # the page's text about it, which names the values of its labels


class Vector(NamedTuple):
    labels: frozenset
    type: str = ""      # of the metric that is selected; empty for what is calculated
    ranged: bool = False


NUMBER = None  # the value of an expression that is no vector


def tokens(text: str) -> list:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Fault(f"cannot read '{text[at:at + 20]}'")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def declared(page: str) -> dict:
    """The metrics of docs/reference/metrics.md."""
    metrics = {}
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        intro = section.partition("| metric |")[0]
        for name, kind, labels, meaning in re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]* \| ([^|]*) \| (.*) \|$", section, re.M):
            metrics[name] = Metric(kind, frozenset(re.findall(r"`(\w+)`", labels)), f"{intro} {meaning}")
    metrics["up"] = Metric("gauge", frozenset(), "")  # Prometheus writes it: 1 where it reached the process
    return metrics


class Reader:
    def __init__(self, text: str, metrics: dict):
        self.tokens = tokens(text)
        self.metrics = metrics
        self.at = 0

    # --- tokens -----------------------------------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at][1] if at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise Fault(f"'{expected or 'more'}' is expected at '{token or 'the end'}'")
        self.at += 1
        return token

    def names(self) -> frozenset:
        """(a, b)"""
        found = set()
        self.take("(")
        while self.peek() != ")":
            found.add(self.take())
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return frozenset(found)

    # --- expressions ------------------------------------------------------------------------------------------------------

    def all(self):
        result = self.binary(0)
        if self.peek():
            raise Fault(f"'{self.peek()}' is not expected")
        return result

    def binary(self, level: int):
        if level == len(PRECEDENCE):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek() in PRECEDENCE[level]:
            operator, match = self.take(), None
            if self.peek() in ("on", "ignoring"):
                match = (self.take(), self.names())
            left = self.combined(operator, match, left, self.binary(level + 1))
        return left

    def combined(self, operator: str, match, left, right):
        if left is NUMBER or right is NUMBER:
            if operator in SETS:
                raise Fault(f"'{operator}' has a number at one side")
            return left if right is NUMBER else right._replace(type="") if right else NUMBER
        for side in (left, right):
            if side.ranged:
                raise Fault(f"'{operator}' has a range at one side")
        one, other = left.labels, right.labels
        if match:
            how, names = match
            missing = names - (one & other if how == "on" else one | other)
            if missing:
                raise Fault(f"{how} ({', '.join(sorted(missing))}): the sides have no such label")
            one, other = (names, names) if how == "on" else (one - names, other - names)
        if one != other:
            raise Fault(f"the sides of '{operator}' never match: one has the labels {sorted(one)}, the other {sorted(other)}")
        return Vector(left.labels if operator in SETS or operator in PRECEDENCE[2] or not match else one)

    def unary(self):
        if self.peek() == "-":
            self.take()
            return self.unary()
        if self.kind() == "number":
            self.take()
            return NUMBER
        if self.peek() == "(":
            self.take()
            result = self.binary(0)
            self.take(")")
            return result
        if self.kind() != "name":
            raise Fault(f"'{self.peek() or 'the end'}' is not expected")
        if self.peek() in AGGREGATIONS | AGGREGATIONS_WITH_NUMBER:
            return self.aggregation()
        if self.peek(1) == "(":
            return self.function()
        return self.selector()

    def vector(self) -> Vector:
        result = self.binary(0)
        if result is NUMBER or result.ranged:
            raise Fault("a vector is expected")
        return result

    def aggregation(self) -> Vector:
        name, group = self.take(), None
        if self.peek() in ("by", "without"):
            group = (self.take(), self.names())
        self.take("(")
        if name in AGGREGATIONS_WITH_NUMBER:
            if self.binary(0) is not NUMBER:
                raise Fault(f"{name} begins with a number")
            self.take(",")
        inner = self.vector()
        self.take(")")
        how, labels = group or ("by", frozenset())
        if missing := labels - inner.labels:
            raise Fault(f"{how} ({', '.join(sorted(missing))}): the series have no such label")
        if name in AGGREGATIONS_WITH_NUMBER and not group:
            return Vector(inner.labels)
        return Vector(labels if how == "by" else inner.labels - labels)

    def function(self) -> Vector:
        name = self.take()
        self.take("(")
        if name == "histogram_quantile":
            self.binary(0)
            self.take(",")
            inner = self.vector()
            if "le" not in inner.labels:
                raise Fault("histogram_quantile needs the label le")
            result = Vector(inner.labels - {"le"})
        elif name in OF_COUNTERS | OF_GAUGES:
            inner = self.binary(0)
            if inner is NUMBER or not inner.ranged:
                raise Fault(f"{name} needs a range")
            if (inner.type == "counter") != (name in OF_COUNTERS):
                raise Fault(f"{name} is not for a {inner.type}")
            result = Vector(inner.labels)
        elif name == "absent":
            self.vector()
            result = Vector(frozenset())
        else:
            raise Fault(f"the function {name} is not known here")
        self.take(")")
        return result

    def selector(self) -> Vector:
        name = self.take()
        base, suffix = name, ""
        if name not in self.metrics and (match := re.fullmatch(r"(\w+)_(bucket|sum|count)", name)):
            base, suffix = match.groups()
        metric = self.metrics.get(base)
        if metric is None:
            raise Fault(f"no program has the metric {name}")
        if (metric.type == "histogram") != bool(suffix):
            raise Fault(f"{name}: {base} is a {metric.type}")
        labels = metric.labels | OF_PROMETHEUS | ({"le"} if suffix == "bucket" else set())
        if self.peek() == "{":
            self.matchers(name, labels, metric.words)
        ranged = self.peek() == "["
        if ranged:
            self.take()
            self.duration()
            self.take("]")
        if self.peek() == "offset":
            self.take()
            self.duration()
        return Vector(labels, "counter" if suffix else metric.type, ranged)

    def duration(self):
        if self.kind() != "duration":
            raise Fault(f"'{self.peek()}' is no duration")
        self.take()

    def matchers(self, name: str, labels: frozenset, words: str):
        self.take("{")
        while self.peek() != "}":
            label, operator, value = self.take(), self.take(), self.take()
            if operator not in ("=", "!=", "=~", "!~") or not value.startswith('"'):
                raise Fault(f"{name}: '{label}{operator}{value}' is no matcher")
            if label not in labels:
                raise Fault(f"{name} has no label {label}")
            if "$" not in value and label not in OF_PROMETHEUS | {"le"}:
                for one in value.strip('"').split("|"):
                    if not re.search(rf"(?<![\w.]){re.escape(one)}(?![\w])", words):
                        raise Fault(f"{name}: the page names no {label} '{one}'")
            if self.peek() != "}":
                self.take(",")
        self.take("}")


def labels_of(expression: str, metrics: dict) -> frozenset:
    expression = re.sub(r"\$__\w+", "5m", expression)  # Grafana's own variables are durations here
    result = Reader(expression, metrics).all()
    if result is NUMBER or result.ranged:
        raise Fault("the result is no vector")
    return result.labels
