"""What dbt's manifest says of models and tests, as far as Dagster shows it; dbt and Dagster are unknown here."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crypto_pipeline.market.datasets import DATASETS

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A table or view that dbt makes; ``parents`` are the models and datasets it reads."""

    id: str
    name: str
    group: str
    table: str
    description: str
    columns: tuple[tuple[str, str, str], ...]
    parents: frozenset[str]
    version: str


@dataclass(frozen=True, slots=True)
class Check:
    """A test of dbt's, on the model it is about; ``others`` are what else it reads.

    Its name on the page is the sentence that it is, without the word ``assert`` before it.
    """

    id: str
    test: str
    name: str
    model: str
    others: frozenset[str]
    description: str


@dataclass(frozen=True)
class Models:
    """All that is in a manifest."""

    manifest: Mapping[str, Any]

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The models by name."""
        return {node["name"]: self._model(node) for node in self._nodes("model")}

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """The tests by name; one that is about no model of ours has no place on the page."""
        found = (self._check(node) for node in self._nodes("test"))
        return {check.name: check for check in found if check}

    def datasets(self, name: str) -> frozenset[str]:
        """The datasets that a model is made of, be it by way of other models."""
        line = (self.models[one].parents for one in {name, *self.ancestors(name)})
        return frozenset().union(*line) & DATASETS.keys()

    def ancestors(self, name: str) -> frozenset[str]:
        """The models that a model is made of, be it by way of others."""
        parents = self.models[name].parents & self.models.keys()
        return parents.union(*(self.ancestors(parent) for parent in parents))

    def _nodes(self, kind: str) -> Iterator[Node]:
        nodes: Mapping[str, Node] = self.manifest["nodes"]
        return (node for node in nodes.values() if node["resource_type"] == kind)

    def _model(self, node: Node) -> Model:
        return Model(
            id=node["unique_id"],
            name=node["name"],
            group=node["fqn"][1],
            table=f"{node['schema']}.{node['alias']}",
            description=node["description"].strip(),
            columns=tuple(_column(one) for one in node["columns"].values()),
            parents=self._datasets(node) | self._refs(node),
            version=node["checksum"]["checksum"][:12],
        )

    def _datasets(self, node: Node) -> frozenset[str]:
        """What reads none of them, and no model, reads the ledger or the log: that tells of all."""
        names = [
            self.manifest["sources"][one]["name"]
            for one in node["depends_on"]["nodes"]
            if one.startswith("source.")
        ]
        own = DATASETS.keys() & {*names}
        return frozenset(own or (() if self._refs(node) else DATASETS))

    def _refs(self, node: Node) -> frozenset[str]:
        return frozenset(_names(node["depends_on"]["nodes"]))

    def _check(self, node: Node) -> Check | None:
        read = list(_names(node["depends_on"]["nodes"]))
        about = _meant(node) or next(iter(_names([node.get("attached_node") or ""])), None)
        model = about or (read[-1] if read else None)
        if model is None:
            return None
        others = frozenset(read) - {model}
        test = str(node["name"])
        name = test.removeprefix("assert_")
        return Check(node["unique_id"], test, name, model, others, _sentence(node))


def _names(ids: Collection[str]) -> Iterator[str]:
    return (one.rpartition(".")[2] for one in ids if one.startswith("model."))


def _column(column: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name, type and description, with the unit where it is said apart."""
    unit, told = column["meta"].get("unit"), column["description"].strip()
    return column["name"], column.get("data_type") or "", f"{told} ({unit})" if unit else told


def _meant(node: Node) -> str | None:
    """The model that a test says it is about, as dagster-dbt has it said."""
    name: str | None = node["config"]["meta"].get("dagster", {}).get("ref", {}).get("name")
    return name


def _sentence(node: Node) -> str:
    """What a test says of itself: its description, or the comment it begins with."""
    if node["description"]:
        return str(node["description"]).strip()
    first = str(node["raw_code"]).strip().partition("\n")[0]
    if first.startswith("--"):
        return first.removeprefix("--").strip()
    column = f" of {node['column_name']}" if node.get("column_name") else ""
    return f"dbt's test {node.get('test_metadata', {}).get('name', 'test')}{column}."
