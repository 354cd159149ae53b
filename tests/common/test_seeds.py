from tf_bertembed import common


def test_seeds_are_the_same_everywhere():
    # First 4 bytes of SHA-256 of "7<US>masks<US>0", halved: sha256sum of GNU coreutils.
    assert common.derive_seed(7, "masks", 0) == 548227548


def test_names_do_not_run_together():
    seeds = {
        common.derive_seed(seed, *names)
        for seed in (0, 1)
        for names in (("a", "b"), ("ab",), ("a", "b", 0), ("b", "a"), ())
    }
    assert len(seeds) == 10
    assert all(0 <= seed < 2**31 for seed in seeds)
