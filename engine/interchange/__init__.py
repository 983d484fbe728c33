"""Models for other programs: ONNX, a plain PyTorch module; checkpoints of other programs."""
