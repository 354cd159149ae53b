"""The whole suite in one process, with memory kept between the models of the tests."""

from tf_bertembed.cli.native import keep_freed_memory

keep_freed_memory()
