"""Models that any TensorFlow server can load, and the proof that they answer alike."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "CApiModel": "c_api",
        "OutputCheck": "comparison",
        "VerificationReport": "verification_report",
        "WarmUp": "verification_report",
        "answer": "fresh_process",
        "export_run": "run_export",
        "export_saved_model": "saved_model",
        "read_metadata": "metadata",
        "served_models": "serving_files",
        "verify": "verification",
        "write_serving_files": "serving_files",
    },
)
