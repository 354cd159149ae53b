import pytest


@pytest.fixture(scope="module")
def scripts(import_scripts):
    with import_scripts("bulk_cost", "bulk_scaling") as modules:
        yield modules


def test_a_job_is_reckoned_from_rate_and_start(scripts):
    bulk_cost, _ = scripts
    # Ten cores do 80 rows a second each, and take ten seconds each to start.
    found = bulk_cost.cost(10 * 3600 * 80, rate=80, start=10, workers=10, dimensions=384, price=0.5)
    assert found["core-hours"] == pytest.approx(10 + 100 / 3600)
    assert found["hours"] == pytest.approx(1 + 10 / 3600)
    assert found["price"] == pytest.approx(0.5 * found["core-hours"])
    assert found["output, GB"] == pytest.approx(2.88e6 * 384 * 4 / 1e9)


def test_without_a_price_there_is_no_column_of_it(scripts):
    bulk_cost, _ = scripts
    one = bulk_cost.cost(10**6, 100, 10, 1, 384)
    assert bulk_cost.table([one])[0] == "| rows | core-hours | hours | output, GB |"
    assert bulk_cost.table([one])[2] == "| 1,000,000 | 2.78 | 2.78 | 1.54 |"


def test_two_sizes_part_start_and_rate(scripts):
    _, bulk_scaling = scripts
    # 10 s to start, and 200, then 100 rows a second; the third round has not ended.
    taken = {(0, 100): 10.5, (0, 300): 11.5, (1, 100): 11.0, (1, 300): 13.0, (2, 100): 9.0}
    results = {
        bulk_scaling.Run(number, "embed", texts): {"seconds": seconds, "cpu": 2 * seconds}
        for (number, texts), seconds in taken.items()
    }
    speeds, starts = bulk_scaling.rates(results, (100, 300))["embed"]
    assert speeds == pytest.approx([200, 100])
    assert starts == pytest.approx([10, 10])
    speeds, starts = bulk_scaling.rates(results, (100, 300), of="cpu")["embed"]
    assert speeds == pytest.approx([100, 50])
    assert starts == pytest.approx([20, 20])
