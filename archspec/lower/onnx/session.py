"""Running a written model in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from archspec.lower.verify import NamedArrays, Runnable, rejected


def loaded(path: Path) -> Runnable:
    """A model, loaded by ONNX Runtime on the CPU.

    Raises:
        ArchspecError: ONNX Runtime cannot load it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the exceptions of ONNX Runtime have no common base class
        raise rejected("ONNX Runtime", "load", error) from error
    names = [output.name for output in session.get_outputs()]

    def run(inputs: NamedArrays) -> NamedArrays:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    return Runnable("ONNX Runtime", run)
