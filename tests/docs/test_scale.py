import importlib.util
import re

from buddy.training.backbone import SCRATCH_SHAPES
from tests.docs.pages import REPOSITORY


def test_the_table_of_rates_is_made_with_real_exports(monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("scale", REPOSITORY / "docs" / "scale.py")
    assert spec
    assert spec.loader
    scale = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scale)
    monkeypatch.setattr(scale, "SCRATCH_SHAPES", {"scratch:tiny": SCRATCH_SHAPES["scratch:tiny"]})
    monkeypatch.setattr(scale, "TEXTS", {"scratch:tiny": 24})
    scale.main()
    *_, row = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\| 0\.\dM \|( [\d,]+/s \|){4} [\d,]+ min \|", row), row
