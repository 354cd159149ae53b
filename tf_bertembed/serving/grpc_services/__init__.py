"""TensorFlow Serving's gRPC services, on the stubs of tensorflow-serving-api."""
