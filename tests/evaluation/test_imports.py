import subprocess
import sys

HEAVY = ("torch", "transformers", "matplotlib", "sklearn", "scipy", "pyarrow", "jinja2", "pandas")


def test_importing_evaluation_loads_nothing_heavy():
    code = (
        "import importlib, pkgutil, sys, buddy.evaluation as package\n"
        "names = [module.name for module in pkgutil.iter_modules(package.__path__)]\n"
        "names.remove('during_training')  # runs inside training, where torch is there anyhow\n"
        "assert {'evaluate', 'report', 'figures'} <= set(names)\n"
        "for name in names: importlib.import_module('buddy.evaluation.' + name)\n"
        "import buddy.cli.evaluate, buddy.cli.report\n"
        f"print([heavy for heavy in {HEAVY} if heavy in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
