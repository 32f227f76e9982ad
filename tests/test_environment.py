"""The locks pin every package with its hashes, and a file with another hash is refused."""

import base64
import json
import re
import tomllib
import zipfile
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from subprocess import CompletedProcess

import environment
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TORCH = environment.locked("torch", environment.TORCH_LOCK).partition("+")[0]
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pinned(lock: Path) -> dict[Requirement, list[str]]:
    """Read a lock: each requirement with its hashes."""
    lines = lock.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    return {
        Requirement(line.partition("--hash")[0]): HASH.findall(line)
        for line in lines
        if not line.startswith("#")
    }


@pytest.fixture(scope="module")
def lock() -> dict[Requirement, list[str]]:
    return pinned(environment.LOCK)


@pytest.fixture(scope="module")
def torch_lock() -> dict[Requirement, list[str]]:
    return pinned(environment.TORCH_LOCK)


def test_every_package_has_one_version_and_hashes(lock, torch_lock):
    assert len(lock) > 100
    for requirement, hashes in (lock | torch_lock).items():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert hashes, requirement


def test_the_locks_name_no_host_and_no_folder():
    for name in ("requirements.lock", "requirements-torch.lock", "requirements-browser.lock"):
        text = (environment.ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|(?m:^-)|@ ", text), name
    assert '"resolved"' not in (environment.ROOT / "package-lock.json").read_text(encoding="utf-8")


def test_the_lock_has_what_the_project_asks_for(lock, torch_lock):
    path = environment.ROOT / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) == set(environment.EXTRAS)
    asked = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]
    versions = {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement in lock | torch_lock
    }
    for requirement in map(Requirement, asked):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version.partition("+")[0]), requirement


def test_torch_is_one_version_everywhere_and_without_cuda_on_linux(lock, torch_lock):
    assert not [package for package in lock if re.match("torch|nvidia|triton|cuda", package.name)]
    versions = {
        system: [
            str(package.specifier)
            for package in torch_lock
            if package.marker.evaluate({"sys_platform": system})
        ]
        for system in ("linux", "darwin", "win32")
    }
    (elsewhere,) = versions["darwin"]
    assert versions == {
        "linux": [f"{elsewhere}+cpu"],
        "darwin": [elsewhere],
        "win32": [elsewhere],
    }


def test_what_torch_needs_is_what_the_lock_was_told(lock):
    path = environment.ROOT / "pyproject.toml"
    settings = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["uv"]["dependency-metadata"]
    (told,) = [one for one in settings if one["name"] == "torch"]
    needs = map(Requirement, metadata.requires("torch"))
    without_cuda = {
        canonicalize_name(need.name)
        for need in needs
        if (need.marker is None or need.marker.evaluate({"extra": "", "sys_platform": "darwin"}))
        and not re.match("nvidia|triton|cuda", need.name)
    }
    assert set(told["requires-dist"]) == without_cuda
    assert without_cuda <= {package.name for package in lock}


def test_nothing_is_locked_that_fetches_from_a_hub(lock):
    assert not [
        package for package in lock if re.match("huggingface|hf-|transformers", package.name)
    ]
    program = "import tokenizers, sys; print('huggingface_hub' in sys.modules)"
    assert environment.run_python(program).stdout == "False\n"


def test_npm_files_have_hashes():
    path = environment.ROOT / "package-lock.json"
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)


# ------------------------------------------------------------------ a wrong file


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """Let pip find one package, which it would put beside itself, and nothing else."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    info = "little-1.0.dist-info"
    files = {
        "little.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: little\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},{of_record(text)},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(shelf / "little-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            wheel.writestr(name, text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "installed"))
    return shelf


def of_record(text: str) -> str:
    digest = base64.urlsafe_b64encode(sha256(text.encode()).digest()).decode()
    return f"sha256={digest.rstrip('=')}"


def write_lock(path: Path, digest: str) -> Path:
    path.write_text(f"little==1.0 \\\n    --hash=sha256:{digest}\n", encoding="utf-8")
    return path


def test_a_file_with_another_hash_is_not_installed(shelf, tmp_path, monkeypatch, capfd):
    good = sha256((shelf / "little-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    options = ["install", "--require-hashes", "--no-deps", "--requirement"]
    bad_lock = write_lock(tmp_path / "bad.lock", "0" * 64)
    with pytest.raises(SystemExit, match="pip install failed"):
        environment.pip(*options, str(bad_lock))
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    # The search for a build of torch stops there too, and tries no other way.
    with pytest.raises(SystemExit, match="hash is not in the lock"):
        environment.found("pip", *options, str(bad_lock))
    assert not (tmp_path / "installed").exists()
    assert environment.found("pip", *options, str(write_lock(tmp_path / "good.lock", good)))
    assert (tmp_path / "installed" / "little.py").exists()


def test_a_package_that_is_nowhere_is_no_error_yet(shelf, tmp_path):
    lock = write_lock(tmp_path / "other.lock", "0" * 64)
    lock.write_text(lock.read_text(encoding="utf-8").replace("little", "large"), encoding="utf-8")
    assert not environment.found("pip", "install", "--require-hashes", "-r", str(lock))


# ------------------------------------------------------------ which build of torch


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Let no torch be installed, find nothing, and write down what pip and uv are asked for."""
    asked = []
    monkeypatch.setattr(environment, "run_python", lambda code: CompletedProcess([], 1, "", ""))
    monkeypatch.setattr(environment, "pip", lambda *words: asked.append(" ".join(("pip", *words))))
    monkeypatch.setattr(environment, "found", lambda *words: asked.append(" ".join(words)))
    return asked


def test_everything_is_installed_by_its_hash(asked, monkeypatch):
    monkeypatch.setattr(environment.platform, "system", lambda: "Darwin")
    environment.install_locked()
    options = "--require-hashes --no-deps --requirement"
    assert asked == [
        f"pip install {options} {environment.LOCK}",
        f"pip install {options} {environment.TORCH_LOCK}",
        f"pip install --no-deps --no-build-isolation --editable {environment.ROOT}",
    ]


def test_on_linux_the_plain_torch_comes_last(asked, monkeypatch, capsys):
    monkeypatch.setattr(environment.platform, "system", lambda: "Linux")
    environment.install_torch()
    by_hash = f"--require-hashes --no-deps --requirement {environment.TORCH_LOCK}"
    assert asked == [
        f"pip install {by_hash}",
        f"uv pip install --python {environment.PYTHON} --torch-backend cpu {by_hash}",
        f"pip install {TORCH}",
    ]
    assert "no hashes" in capsys.readouterr().out


def test_an_installed_torch_of_this_version_stays(asked, monkeypatch):
    said = CompletedProcess([], 0, f"{TORCH}+cpu\n", "")
    monkeypatch.setattr(environment, "run_python", lambda code: said)
    environment.install_torch()
    assert asked == []


def test_without_pytorchs_index_the_newest_versions_come_with_the_locked_torch(asked, monkeypatch):
    monkeypatch.setattr(environment.platform, "system", lambda: "Linux")
    environment.install_newest()
    assert asked[1].endswith("--torch-backend cpu --upgrade torch")
    assert asked[2].endswith(f"--requirement {environment.TORCH_LOCK}")
    assert asked[-1] == f"pip install --upgrade --editable {environment.ROOT}[book,lint,test]"
