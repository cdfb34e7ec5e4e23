"""The layers of docs/house.md, checked by reading the source."""

import ast
import graphlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "nitrogen"

LAYERS = [
    {"errors"},
    {"actions", "config", "files", "logs", "processes", "stats"},
    {"policy", "video", "draw", "report"},
    {"overlay", "data", "model", "simulator", "serve", "mini"},
    {"extract", "train", "play"},
    {"record", "synth", "shipped", "watch", "view", "imitate", "benchmark", "playtest", "doctor"},
    {"demo", "quickstart"},
    {"experiments"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

MAY_IMPORT_TORCH = (
    "model/", "train/", "data/samples.py", "data/loader.py", "data/augment.py",
    "extract/segformer.py", "extract/parser.py", "extract/fit.py", "extract/networks.py",
    "extract/finder.py", "extract/cap_network.py", "extract/caps.py", "extract/heat_maps.py",
)  # fmt: skip


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py"))


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_every_name_has_a_layer():
    assert {package_of(path) for path in modules()} - {"__init__", "__main__"} <= set(RANK)


def test_layers():
    wrong = []
    for path in modules():
        here = package_of(path)
        if here not in RANK:
            continue
        for name in imports(path):
            parts = name.split(".")
            there = parts[1] if parts[0] == "nitrogen" and len(parts) > 1 else here
            if there in RANK and there != here and RANK[there] >= RANK[here]:
                wrong.append(f"{path.relative_to(SOURCE)} must not import {there}")
    assert not wrong


def test_no_cycles():
    names = {
        path: ".".join(("nitrogen", *path.relative_to(SOURCE).with_suffix("").parts))
        for path in modules()
    }
    graph = {
        name: {other for other in imports(path) if other in names.values() and other != name}
        for path, name in names.items()
    }
    list(graphlib.TopologicalSorter(graph).static_order())


def test_torch_stays_where_it_belongs():
    wrong = [
        str(path.relative_to(SOURCE))
        for path in modules()
        if any(name.split(".")[0] == "torch" for name in imports(path, top_level_only=True))
        and not str(path.relative_to(SOURCE)).startswith(MAY_IMPORT_TORCH)
    ]
    assert not wrong


def test_optional_packages_are_imported_late():
    late = {"vizdoom", "matplotlib", "jinja2", "transformers", "huggingface_hub", "ray"}
    wrong = [
        (str(path.relative_to(SOURCE)), name)
        for path in modules()
        for name in imports(path, top_level_only=True)
        if name.split(".")[0] in late
    ]
    assert not wrong


@pytest.mark.parametrize(
    "path", [p for p in modules() if p.name == "__init__.py" and p.parent != SOURCE]
)
def test_package_inits_are_empty(path):
    assert path.read_text() == ""


def test_no_pickle():
    wrong = [
        str(path.relative_to(SOURCE))
        for path in modules()
        if {"pickle", "dill", "cloudpickle", "joblib", "shelve"}
        & {n.split(".")[0] for n in imports(path)}
        or "weights_only=False" in path.read_text()
        or "allow_pickle=True" in path.read_text()
    ]
    assert not wrong
