"""Models that any TensorFlow server can load, and the proof that they answer alike."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "CApiModel": "c_api",
        "OutputCheck": "verification",
        "VerificationReport": "verification",
        "answer": "fresh_process",
        "export_saved_model": "saved_model",
        "verify": "verification",
    },
)
