import dataclasses

import pytest

from nitrogen.errors import ConfigError
from nitrogen.train.overrides import apply, names
from nitrogen.train.recipes import RECIPES, recipe


def value_of(config, name):
    for part in name.replace("-", "_").split("."):
        config = getattr(config, part)
    return config


@pytest.mark.parametrize("name", RECIPES)
def test_every_field_can_be_named_with_its_own_value(name):
    config = recipe(name)
    known = names(config)
    assert "optim.learning-rate" in known

    for field in known:
        value = value_of(config, field)
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert apply(config, [f"{field}={text}"]) == config, field


def test_kinds_of_values():
    config = apply(
        recipe("debug"),
        [
            *("optim.learning_rate=1e-5", "epochs=2.5", "recompute", "precision=float32"),
            *("importance=south=3,sticks=2", "lora.groups=vision,dit", "machine.report="),
        ],
    )
    assert (config.optim.learning_rate, config.epochs, config.recompute) == (1e-5, 2.5, True)
    assert config.precision == "float32"
    assert config.importance == ("south=3", "sticks=2")
    assert config.lora.groups == ("vision", "dit")
    assert apply(config, ["epochs=none", "recompute=no"]).epochs is None
    assert dataclasses.replace(config, seed=3) == apply(config, ["seed=3"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("optim=3", "no option --optim"),
        ("optim.clip.x=3", "no option"),
        ("lr=3", "did you mean --optim.learning-rate"),
        ("save-steps=3", "did you mean --save-every"),
        ("onset_wieght=3", "did you mean --onset-weight"),
        ("steps", "needs a value"),
        ("steps=3.5", "a whole number"),
        ("recompute=perhaps", "true or false"),
    ],
)
def test_what_does_not_fit_is_refused(entry, message):
    with pytest.raises(ConfigError, match=message):
        apply(recipe("debug"), [entry])
