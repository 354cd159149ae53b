"""Every public name is documented, names its arguments, and shows an example that runs."""

import dataclasses
import importlib
import inspect
import linecache
import pkgutil
import re
from pathlib import Path

import pytest

import tf_bertembed

ARGUMENT = re.compile(r"    (\*{0,2}\w+):\s+\S")
BLOCK = re.compile(r"^( *)```python\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


@dataclasses.dataclass
class Documented:
    """A public class, function or method: what its docstring is and what it has to tell."""

    name: str
    docstring: str
    arguments: list
    overrides: bool = False
    shown_elsewhere: bool = False

    def section(self, title):
        """The lines under a heading such as `Args:`; `None` where there is no such heading."""
        lines = inspect.cleandoc(self.docstring).split("\n")
        if f"{title}:" not in lines:
            return None
        start = lines.index(f"{title}:") + 1
        end = start
        # A section ends at the next heading; examples stand flush with theirs.
        while end < len(lines) and not re.fullmatch(r"[A-Z][A-Za-z]+:", lines[end]):
            end += 1
        return lines[start:end]

    def examples(self):
        lines = self.section("Example") or self.section("Examples") or []
        blocks = BLOCK.findall("\n".join(lines))
        return [inspect.cleandoc(f"\n{indent}{code}") for indent, code in blocks]

    def problems(self):
        if not self.docstring:
            return [f"{self.name} has no docstring"]
        found = []
        summary, *rest = inspect.cleandoc(self.docstring).split("\n")
        if not summary.endswith((".", "?")):
            found.append(f"{self.name}: the first line is no sentence: {summary!r}")
        if rest and rest[0]:
            found.append(f"{self.name}: no empty line after the first")
        section = self.section("Args")
        if section is not None or not self.overrides:
            named = [match[1] for line in section or [] if (match := ARGUMENT.match(line))]
            if [name.lstrip("*") for name in named] != self.arguments:
                found.append(
                    f"{self.name}: `Args:` names {named}, the signature has {self.arguments}"
                )
        if not (self.overrides or self.shown_elsewhere or self.examples()):
            found.append(f"{self.name}: no `Example:` with a ```python block")
        return found


def own(thing):
    return (getattr(thing, "__module__", None) or "").partition(".")[0] == "tf_bertembed"


def parameters(function, bound):
    names = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if not parameter.name.startswith("_")
    ]
    return names[1:] if bound else names


def constructor_arguments(cls):
    """Arguments of the constructor, where this project and not a base class wrote it."""
    for base in cls.__mro__:
        made_by = base.__dict__.get("__init__")
        if made_by is not None:
            return parameters(made_by, bound=True) if own(base) else []
    return []


def documented(name, thing):
    """Yield a public class with its public methods, or a public function."""
    if not inspect.isclass(thing):
        # A `tf.function` wraps the function that it was made of.
        function = inspect.unwrap(getattr(thing, "python_function", thing))
        yield Documented(name, function.__doc__ or "", parameters(function, bound=False))
        return
    # A dataclass without a docstring is given its signature as one.
    docstring = thing.__dict__.get("__doc__") or ""
    if dataclasses.is_dataclass(thing) and docstring.startswith(f"{thing.__name__}("):
        docstring = ""
    whole = Documented(name, docstring, constructor_arguments(thing))
    yield whole
    for attribute, value in vars(thing).items():
        if attribute.startswith("_"):
            continue
        overrides = any(hasattr(base, attribute) for base in thing.__mro__[1:])
        bound = not isinstance(value, staticmethod)
        is_property = isinstance(value, property)
        function = value.fget if is_property else getattr(value, "__func__", value)
        function = inspect.unwrap(getattr(function, "python_function", function))
        if not inspect.isfunction(function) or (overrides and not function.__doc__):
            continue
        yield Documented(
            f"{name}.{attribute}",
            function.__doc__ or "",
            parameters(function, bound),
            overrides=overrides or is_property,
            shown_elsewhere=any(f".{attribute}(" in code for code in whole.examples()),
        )


def public_objects():
    """Every documented object of the project, once, by the first package that exports it."""
    seen = set()
    for module in pkgutil.iter_modules(tf_bertembed.__path__):
        if not module.ispkg:
            continue
        package = importlib.import_module(f"tf_bertembed.{module.name}")
        for public in package.__all__:
            thing = getattr(package, public)
            if inspect.ismodule(thing) or not callable(thing) or id(thing) in seen:
                continue
            seen.add(id(thing))
            yield from documented(f"{module.name}.{public}", thing)


OBJECTS = list(public_objects())


def run_example(name, number, code):
    # Registered as a source file, so that tracebacks and autograph find the lines.
    filename = f"<example {number} of {name}>"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    exec(compile(code, filename, "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: thing.name)
def test_documented(thing):
    assert thing.problems() == []


@pytest.mark.parametrize(
    "thing", [thing for thing in OBJECTS if thing.examples()], ids=lambda thing: thing.name
)
def test_example_runs(thing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, code in enumerate(thing.examples(), start=1):
        run_example(thing.name, number, code)


GOOD = """Scale a number.

    Args:
        number: float. What is scaled.
        *others: floats. More of them:
            in the same unit.

    Returns:
        A float.

    Example:

    ```python
    from pathlib import Path

    Path("made.txt").write_text("made")
    ```

    Source: none.
    """


def scale(number, *others):
    return number


def problems_of(docstring, function=scale):
    return Documented("scale", docstring, parameters(function, bound=False)).problems()


def test_a_good_docstring_is_passed():
    assert problems_of(GOOD) == []


@pytest.mark.parametrize(
    ("docstring", "problem"),
    [
        ("", "no docstring"),
        (GOOD.replace("Scale a number.", "scales"), "no sentence"),
        (GOOD.replace("number.\n\n", "number.\n", 1), "no empty line"),
        (GOOD.replace("number: float.", "value: float."), r"names \['value', '\*others'\]"),
        (GOOD.replace("        number: float. What is scaled.\n", ""), r"names \['\*others'\]"),
        (GOOD.replace("Args:", "Parameters:"), r"names \[\], the signature has \['number'"),
        (GOOD.replace("Example:", "Usage:"), "no `Example:`"),
        (GOOD.replace("```python", "```"), "no `Example:`"),
    ],
)
def test_a_bad_docstring_is_found(docstring, problem):
    (found,) = problems_of(docstring)
    assert re.search(problem, found)


def test_a_bad_example_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = Documented("scale", GOOD, ["number", "others"])
    run_example("scale", 1, good.examples()[0])
    assert Path("made.txt").read_text() == "made"
    bad = Documented("scale", GOOD.replace("write_text", "no_such_method"), ["number", "others"])
    with pytest.raises(AttributeError, match="no_such_method"):
        run_example("scale", 1, bad.examples()[0])


def test_methods_are_checked_unless_a_base_class_documents_them():
    class Base:
        def call(self, inputs):
            """Answer the inputs."""

    class Layer(Base):
        def __init__(self, width):
            self.width = width

        def call(self, inputs, training=False):
            return inputs

        def widen(self, by):
            return self.width + by

        @property
        def half(self):
            return self.width / 2

    Layer.__module__ = "tf_bertembed.layers"
    found = {thing.name: thing for thing in documented("Layer", Layer)}
    assert list(found) == ["Layer", "Layer.widen", "Layer.half"]
    assert found["Layer"].arguments == ["width"]
    assert found["Layer.widen"].arguments == ["by"]
    assert all(thing.problems() for thing in found.values())


def test_the_example_of_a_class_may_show_its_methods():
    class Scale:
        def by(self):
            """Tell the factor."""

        def __str__(self):
            return ""

        def unit(self):
            """Tell the unit."""

    Scale.__doc__ = GOOD.replace('Path("made.txt")', "Scale().by()")
    shown = {thing.name: thing.problems() for thing in documented("Scale", Scale)}
    assert shown["Scale.by"] == []
    assert len(shown["Scale.unit"]) == 1
