import pytest

from nitrogen.cli import fit as command
from nitrogen.extract import parser


@pytest.mark.slow
def test_fit_trains_and_prints_a_reader(tmp_path, capsys):
    command.fit(tmp_path / "run", steps=1, batch=2)
    printed = capsys.readouterr().out.strip()
    assert printed == str(tmp_path / "run" / "reader")
    assert parser.load_network(tmp_path / "run" / "reader").config.height == 96
