"""Long fuzzing of everything that reads bytes of strangers (``make fuzz``).

One module per reader: ``seeds()`` gives good inputs from the builders of the tests, ``check(data)``
raises for anything but an answer or an error of our own. ``tests/hostile/test_fuzz_targets.py``
runs the same checks briefly in every test run, without the fuzzer.
"""
