"""Names that are resolved on first use, so that importing stays cheap."""

import importlib


def attach(package, names):
    """Give a package attributes that are imported when first asked for.

    Args:
        package: string. The package's `__name__`.
        names: dict. Each public name and the submodule (relative to
            `package`) that defines it; `None` where the name is itself a
            submodule.

    Returns:
        A triple for the package to assign to `__getattr__`, `__dir__` and
        `__all__` (PEP 562).

    Example:

    ```python
    from tf_bertembed.common import lazy

    getter, lister, public = lazy.attach("json", {"JSONDecoder": "decoder"})
    assert public == ["JSONDecoder"] and lister() == public
    assert getter("JSONDecoder").__module__ == "json.decoder"
    ```
    """
    public = sorted(names)

    def __getattr__(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(f"{package}.{names[name] or name}")
        return module if names[name] is None else getattr(module, name)

    def __dir__():
        return public

    return __getattr__, __dir__, public
