from pathlib import Path


def test_a_run_becomes_a_folder_whose_files_are_named_with_their_sizes(buddy, trained_run):
    code, out, _ = buddy("export", trained_run, "--out", "models/learned")
    assert code == 0
    files = {file.name: file.stat().st_size for file in Path("models/learned").iterdir()}
    *sizes, model, following = out.splitlines()
    assert {line.split()[0] for line in sizes} == set(files)
    assert sizes[0] == f"{'model.bin':<16} {files['model.bin'] / 1e6:>6.1f} MB"
    assert model == "Model: models/learned"
    assert following == 'Next:  buddy classify "I lost my cat." --model models/learned'


def test_the_numbers_are_stored_as_asked(buddy, trained_run):
    sizes = []
    for quantization in ("int8", "float32"):
        arguments = ("--format", "ctranslate2", "--quantization", quantization, "--out", quantization)
        assert buddy("export", trained_run / "best", *arguments)[0] == 0
        sizes.append(Path(quantization, "model.bin").stat().st_size)
    assert 2 * sizes[0] < sizes[1]


def test_a_folder_without_a_name_cannot_be_made(buddy, trained_run):
    assert buddy("export", trained_run, "--out", ".") == (
        2,
        "",
        "buddy: . has no name of its own; name the folder to make with --out.\n",
    )


def test_mistakes_are_one_sentence(buddy, trained_run):
    Path("taken").write_text("mine")
    for arguments, sentence in (
        ((trained_run, "--out", "taken"), "taken exists already; remove it, or name another --out."),
        (("nowhere", "--out", "x"), "There is no model nowhere; `buddy train` makes one"),
        ((trained_run,), "Missing option '--out'"),
        ((trained_run, "--out", "x", "--quantization", "int4"), "'int4' is not one of 'int8', 'int8_float32'"),
        ((trained_run, "--out", "x", "--format", "onnx"), "'onnx' is not"),
    ):
        code, out, err = buddy("export", *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("buddy: ")
        assert err.count("\n") == 1
        assert sentence in err
        assert not Path("x").exists()
