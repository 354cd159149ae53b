"""Make the lists of ops that a stock TensorFlow Serving links, from TensorFlow's wheels.

    python -m tf_bertembed.export.op_lists.make WHEELS

README.md beside this file says which wheels to download, and what the lists
hold. The wheels are unpacked, not installed, and their C libraries are asked,
so that any Python on Linux will do.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tf_bertembed.common import atomic_path
from tf_bertembed.export.c_library import Buffer
from tf_bertembed.export.protos import message_class

MODULE = "tf_bertembed.export.op_lists.make"
# Per list TensorFlow, and TensorFlow Text with the TensorFlow that it loads into.
LISTS = {
    "tensorflow_serving_2.19.txt": ("2.19.1", "2.12.1", "2.12.1"),
    "tensorflow_serving_2.20.txt": ("2.20.0", "2.12.1", "2.12.1"),
}
# Of libraries that tensorflow_model_server does not depend on, or does not enable; and
# with "_" the runtime's own, which no saved graph may hold.
NOT_SERVED = ("Xla", "TPU", "TRT", "_")


def unpack(wheels, package, version, folder):
    """Unpack the libraries of one wheel; its folder, shared by all that ask for it."""
    target = folder / f"{package}-{version}"
    if not target.exists():
        found = sorted(wheels.glob(f"{package.replace('-', '_')}-{version}-*.whl"))
        if not found:
            raise SystemExit(f"{wheels} holds no wheel of {package} {version}.")
        with zipfile.ZipFile(found[0]) as wheel:
            for name in wheel.namelist():
                if ".so" in Path(name).name:
                    wheel.extract(name, target)
    return target


def ask(libraries):
    """Ask a TensorFlow for its ops, in a process of its own: two cannot share one.

    Args:
        libraries: list of paths. The C library, then libraries of ops.

    Returns:
        Per op the names of its attributes; only ops that run on a CPU.
    """
    done = subprocess.run(
        [sys.executable, "-m", MODULE, "--ask", *map(str, libraries)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def _fetch(library, function, *arguments):
    call = getattr(library, function)
    call.restype = ctypes.POINTER(Buffer)
    content = call(*arguments).contents
    return ctypes.string_at(content.data, content.length)


def answer(path, *operations):
    """Print what `ask` reads; the body of that process."""
    library = ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    library.TF_NewStatus.restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    status = ctypes.c_void_p(library.TF_NewStatus())
    for name in operations:
        library.TF_LoadLibrary(name.encode(), status)
        if library.TF_GetCode(status):
            raise SystemExit(f"{name}: {library.TF_Message(status).decode()}")
    ops = message_class("OpList").FromString(_fetch(library, "TF_GetAllOpList"))
    kernels = message_class("KernelList").FromString(
        _fetch(library, "TF_GetAllRegisteredKernels", status)
    )
    # DEFAULT: a kernel for whatever device there is.
    runs = {k.op for k in kernels.kernel if k.device_type in ("CPU", "DEFAULT")}
    served = {
        op.name: sorted(attribute.name for attribute in op.attr)
        for op in ops.op
        if op.name in runs and not op.name.startswith(NOT_SERVED)
    }
    print(json.dumps(served))


def make(wheels, target):
    """Write all lists.

    Args:
        wheels: `pathlib.Path`. The folder of the wheels.
        target: `pathlib.Path`. The folder of the lists.
    """
    with tempfile.TemporaryDirectory() as unpacked:

        def c_library(version):
            folder = unpack(wheels, "tensorflow-cpu", version, Path(unpacked))
            return folder / "tensorflow" / "libtensorflow_cc.so.2"

        for name, (core, text, text_core) in LISTS.items():
            ops = ask([c_library(core)])
            folder = unpack(wheels, "tensorflow-text", text, Path(unpacked))
            libraries = sorted((folder / "tensorflow_text" / "python").rglob("*.so"))
            bare = ask([c_library(text_core)])
            full = ask([c_library(text_core), *libraries])
            texts = {op: names for op, names in full.items() if op not in bare}
            lines = [
                "# An op and the names of its attributes a line; README.md says how it was made.",
                f"# tensorflow-cpu {core}: {len(ops)} ops",
                f"# tensorflow-text {text}: {len(texts)} ops",
                *(" ".join([op, *names]) for op, names in sorted({**texts, **ops}.items())),
            ]
            with atomic_path(target / name, overwrite=True) as place:
                place.write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{target / name}: {len(ops)} + {len(texts)} ops")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheels", type=Path, help="The folder with the wheels.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    make(arguments.wheels, arguments.output)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        answer(*sys.argv[2:])
    else:
        main()
