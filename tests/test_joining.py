"""What joining mailboxes would add: additivity, shrinkage and known truths."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimator.derived import derive
from estimator.draws import Draws
from estimator.joining import Population, Published, Sampled
from estimator.learnt import learn

MAIL_ITEMS = "Exchange/MailItemsAccessed"
ATTACHMENTS = "Exchange/AttachmentAccess"
DRAWS = Draws(2000, 0)


def population(
    counts: np.ndarray, classes: list[str], klass: np.ndarray, is_user: np.ndarray | None = None
) -> Population:
    n = len(klass)
    users = np.ones(n, bool) if is_user is None else is_user
    return Population(pd.Index([f"u{i}@x.example" for i in range(n)]), classes, klass.astype(np.intp), counts, users)


@pytest.fixture(scope="module")
def tenant() -> tuple[Population, Sampled, np.ndarray]:
    """400 mailboxes of two classes; the first 120 emit at a rate that follows their activity closely."""
    dice = np.random.default_rng(4)
    counts = dice.gamma(0.6, 30.0, (400, 3))
    counts[380:] = np.nan  # shared mailboxes: no row
    klass = np.where(np.arange(400) >= 380, 1, 0)
    people = population(counts, ["standard user", "none shared"], klass, klass == 0)
    rate = np.nan_to_num(counts.sum(axis=1)) * dice.gamma(20, 1 / 20, 400) + 1
    at = np.concatenate([np.arange(120), np.arange(380, 386)]).astype(np.intp)
    return people, Sampled(at, rate[at], np.zeros(len(at))), rate


def test_waves_add_up_to_all_at_once_draw_by_draw(tenant: tuple[Population, Sampled, np.ndarray]) -> None:
    people, sampled, _ = tenant
    learnt = learn(DRAWS, people, ATTACHMENTS, sampled)
    everyone = np.setdiff1d(np.arange(400), sampled.at)

    first, second, third = learnt.levels([everyone[::3], everyone[1::3], everyone[2::3]])
    (at_once,) = learnt.levels([everyone])

    assert (first + second + third).people == pytest.approx(at_once.people)


def test_the_known_total_is_near_the_mean_and_inside_the_interval(
    tenant: tuple[Population, Sampled, np.ndarray],
) -> None:
    people, sampled, rate = tenant
    users = np.setdiff1d(np.arange(380), sampled.at)

    (level,) = learn(DRAWS, people, ATTACHMENTS, sampled).levels([users])

    truth = rate[users].sum()
    assert level.people.mean() == pytest.approx(truth, rel=0.12)
    low, high = np.quantile(level.people, [0.1, 0.9])
    assert low < truth < high


def test_an_unsampled_class_is_wider_than_a_sampled_one(tenant: tuple[Population, Sampled, np.ndarray]) -> None:
    people, sampled, _ = tenant
    users = np.setdiff1d(np.arange(380), sampled.at)
    half = people.klass.copy()
    half[users[::2]] = 2
    split = dataclasses.replace(people, classes=[*people.classes, "standard_unlisted user"], klass=half)

    seen, unseen = learn(DRAWS, split, ATTACHMENTS, sampled).levels([users[1::2], users[::2]])

    assert unseen.people.std() / unseen.people.mean() > 1.2 * seen.people.std() / seen.people.mean()


def test_mailboxes_without_a_row_take_their_own_shrunk_mean() -> None:
    """Six shared mailboxes of 10 a day, forty users of 30: (6 x 10 + 4 x 0.75 x 30) / (6 + 4), by hand."""
    counts = np.full((60, 3), np.nan)
    counts[:40] = 5.0
    klass = np.where(np.arange(60) < 40, 0, 1)
    people = population(counts, ["standard user", "none shared"], klass, klass == 0)
    rate = np.where(np.arange(46) < 40, 30.0, 10.0)
    sampled = Sampled(np.arange(46, dtype=np.intp), rate, np.zeros(46))

    (level,) = learn(DRAWS, people, ATTACHMENTS, sampled).levels([np.arange(46, 60)])

    expected = 14 * (6 * 10 + 4 * 0.75 * 30) / (6 + 4)
    assert level.people.mean() == pytest.approx(expected, rel=0.06)


def test_mailboxes_without_a_row_are_likened_to_all_and_not_to_the_busy_ones_that_emit() -> None:
    """Fifty users of 60 mails a day emit 60 records, four hundred have 6: the shared mailboxes are near 0.75 x 12."""
    counts = np.full((550, 3), np.nan)
    counts[:50], counts[50:450] = 60.0, 6.0
    klass = np.where(np.arange(550) < 450, 0, 1)
    people = population(counts, ["standard user", "none shared"], klass, klass == 0)
    dice = np.random.default_rng(4)
    counts[:50] *= dice.uniform(0.2, 1.8, (50, 1))
    sampled = Sampled(np.arange(50, dtype=np.intp), counts[:50, 0].copy(), np.zeros(50))

    (level,) = learn(DRAWS, people, ATTACHMENTS, sampled).levels([np.arange(450, 550)])

    assert level.people.mean() / 100 == pytest.approx(0.75 * (50 * 60 + 400 * 6) / 450, rel=0.35)


def test_the_published_rate_is_what_stands_without_a_sample() -> None:
    """A hundred users without a report: 35 a working day each, the middle of 30 to 40."""
    is_user = np.arange(110) < 100
    people = population(np.full((110, 3), np.nan), ["standard user", "none shared"], (~is_user).astype(int), is_user)
    users, shared = Published(DRAWS, people, MAIL_ITEMS).levels([np.arange(100), np.arange(100, 110)])

    assert users.people.mean() == pytest.approx(3500, rel=0.05)
    assert shared.people.mean() == pytest.approx(10 * 35 * 0.75, rel=0.05)
    low, high = np.quantile(users.people, [0.1, 0.9])
    assert high / low > 3  # wide: nothing was measured


def test_the_published_rate_is_spread_by_activity_and_keeps_its_mean() -> None:
    counts = np.column_stack([np.arange(1.0, 101.0)] * 3)
    people = population(counts, ["standard user"], np.zeros(100, int))

    quiet, busy = Published(DRAWS, people, MAIL_ITEMS).levels([np.arange(50), np.arange(50, 100)])

    assert (quiet + busy).people.mean() == pytest.approx(3500, rel=0.05)
    # 1 + ... + 50 = 1275 of 5050
    assert quiet.people.mean() / (quiet + busy).people.mean() == pytest.approx(1275 / 5050)


def test_a_thin_sample_is_pulled_to_the_published_rate_and_a_thick_one_is_not() -> None:
    dice = np.random.default_rng(8)
    counts = dice.gamma(1.0, 10.0, (1200, 3))
    people = population(counts, ["standard user"], np.zeros(1200, int))
    joining = np.arange(600, 1200)
    rate = 100.0 * counts.sum(axis=1) / counts.sum(axis=1).mean()

    def pull(n: int) -> float:
        noisy = rate[:n] * dice.gamma(0.5, 2.0, n)
        noisy *= rate[:n].sum() / noisy.sum()
        sampled = Sampled(np.arange(n, dtype=np.intp), noisy, np.zeros(n))
        learnt = learn(DRAWS, people, MAIL_ITEMS, sampled)
        (with_,) = learnt.levels([joining])
        (without,) = dataclasses.replace(learnt, shrink=None).levels([joining])
        return float(with_.people.mean() / without.people.mean())

    thick, thin = pull(500), pull(6)

    assert 0.9 < thick <= 1.0
    assert thin < 0.85 * thick


def test_an_application_on_a_tenth_of_mailboxes_is_carried_over_as_one() -> None:
    """200 sampled, 20 touched at 50 a day: 300 joining mailboxes get about 300 x 20.5/201 x 50 a calendar day."""
    people = population(np.full((500, 3), 5.0), ["standard user"], np.zeros(500, int))
    apps = np.where(np.arange(200) < 20, 50.0, 0.0)
    sampled = Sampled(np.arange(200, dtype=np.intp), np.full(200, 30.0), apps)

    (level,) = learn(DRAWS, people, ATTACHMENTS, sampled).levels([np.arange(200, 500)])

    assert level.applications.mean() == pytest.approx(300 * 20.5 / 201 * 50, rel=0.03)
    assert level.people.mean() == pytest.approx(300 * 30, rel=0.05)


def test_a_program_that_polls_shared_mailboxes_leaves_peoples_alone() -> None:
    """100 users emit and are left alone; of 20 shared mailboxes that emit a program polls 4, 100 times a day."""
    users = np.arange(460) < 400
    people = population(np.full((460, 3), 5.0), ["standard user", "none shared"], (~users).astype(int), users)
    at = np.concatenate([np.arange(100), np.arange(400, 420)]).astype(np.intp)
    apps = np.where(np.arange(120) >= 116, 100.0, 0.0)
    sampled = Sampled(at, np.full(120, 30.0), apps)

    learnt = learn(DRAWS, people, ATTACHMENTS, sampled)
    joining_users, joining_shared = learnt.levels([np.arange(100, 400), np.arange(420, 460)])

    assert joining_shared.applications.mean() == pytest.approx(40 * 4 / 21 * 100, rel=0.08)
    assert joining_users.applications.mean() < 0.03 * joining_shared.applications.mean()
    (together,) = learnt.levels([np.concatenate([np.arange(100, 400), np.arange(420, 460)])])
    assert together.applications == pytest.approx((joining_users + joining_shared).applications)


def test_send_follows_the_report_and_needs_no_sample() -> None:
    counts = np.zeros((50, 3))
    counts[:, 0] = 8.0
    counts[40:] = np.nan
    people = population(counts, ["standard user", "none shared"], (np.arange(50) >= 40).astype(int), np.arange(50) < 40)

    users, shared = derive(DRAWS, people, "Exchange/Send", None).levels([np.arange(40), np.arange(40, 50)])

    assert users.people.mean() == pytest.approx(320, rel=0.02)
    # the ratio's own spread, and forty mailboxes' scatter: 0.1^2 + 0.35 / 40
    assert users.people.std() / users.people.mean() == pytest.approx(np.sqrt(0.1**2 + 0.35 / 40), rel=0.1)
    assert shared.people.tolist() == [0.0] * DRAWS.count


def test_sends_closeness_to_the_report_is_learnt_from_the_sample() -> None:
    counts = np.full((300, 3), 10.0)
    people = population(counts, ["standard user"], np.zeros(300, int))
    sampled = Sampled(np.arange(100, dtype=np.intp), np.full(100, 9.0), np.zeros(100))

    (level,) = derive(DRAWS, people, "Exchange/Send", sampled).levels([np.arange(100, 300)])

    assert level.people.mean() == pytest.approx(200 * 9.0, rel=0.01)


def test_the_same_seed_gives_the_same_draws_and_operations_do_not_disturb_each_other() -> None:
    people = population(np.full((50, 3), 5.0), ["standard user"], np.zeros(50, int))
    sampled = Sampled(np.arange(20, dtype=np.intp), np.full(20, 3.0), np.zeros(20))

    first = learn(DRAWS, people, ATTACHMENTS, sampled).levels([np.arange(20, 50)])[0].people
    learn(DRAWS, people, MAIL_ITEMS, sampled)
    again = learn(Draws(2000, 0), people, ATTACHMENTS, sampled).levels([np.arange(20, 50)])[0].people
    other = learn(Draws(2000, 1), people, ATTACHMENTS, sampled).levels([np.arange(20, 50)])[0].people

    assert (first == again).all()
    assert not (first == other).any()


def width(values: np.ndarray) -> float:
    low, high = np.quantile(values, [0.1, 0.9])
    return float((high - low) / values.mean())


class TestAReportThatConcealsItsNames:
    """120 users of whom nobody knows which row is theirs, 6 a day each on the mean; 20 emit, at 10 a day each."""

    def people(self, rows: np.ndarray) -> Population:
        users = np.arange(130) < 120
        named = population(np.full((130, 3), np.nan), ["standard user", "none shared"], (~users).astype(int), users)
        return dataclasses.replace(named, unnamed=rows)

    ROWS = np.where(np.arange(120) < 20, 10.0, 5.2)
    EMIT = Sampled(np.arange(20, dtype=np.intp), np.full(20, 10.0), np.zeros(20))

    def test_what_the_emitting_ones_do_not_send_the_others_do(self) -> None:
        # 120 rows send 20 x 10 + 100 x 5.2 = 720; the 20 that emit are seen to send 200; 520 are left to 100.
        everyone, shared = derive(DRAWS, self.people(self.ROWS), "Exchange/Send", self.EMIT).levels(
            [np.arange(20, 120), np.arange(120, 130)]
        )
        assert everyone.people.mean() == pytest.approx(520, rel=0.02)
        # All of the rest join, so only the report's closeness is open: 0.1 of 720, on 520.
        assert everyone.people.std() == pytest.approx(72, rel=0.1)
        assert shared.people.tolist() == [0.0] * DRAWS.count

    def test_without_a_sample_everybody_is_left(self) -> None:
        (level,) = derive(DRAWS, self.people(self.ROWS), "Exchange/Send", None).levels([np.arange(120)])
        assert level.people.mean() == pytest.approx(720, rel=0.02)

    def test_a_wave_of_some_is_less_certain_than_all_and_waves_add_up(self) -> None:
        derived = derive(DRAWS, self.people(self.ROWS), "Exchange/Send", self.EMIT)
        (some,) = derived.levels([np.arange(20, 30)])
        (all_,) = derived.levels([np.arange(20, 120)])
        assert some.people.mean() == pytest.approx(52, rel=0.05)
        assert width(some.people) > 3 * width(all_.people)
        waves = derived.levels([np.arange(20, 70), np.arange(70, 120)])
        assert (waves[0] + waves[1]).people == pytest.approx(all_.people)

    def test_it_never_falls_below_nothing(self) -> None:
        busy = Sampled(np.arange(20, dtype=np.intp), np.full(20, 90.0), np.zeros(20))  # 1,800 seen, of 720 reported
        (level,) = derive(DRAWS, self.people(self.ROWS), "Exchange/Send", busy).levels([np.arange(20, 120)])
        assert (level.people > 0).all()


def test_users_the_report_leaves_out_still_send() -> None:
    """Ten of forty users listed, 8 a day each: the thirty others stand at three quarters of it, far from certain."""
    counts = np.full((50, 3), np.nan)
    counts[:10] = 8.0
    people = population(counts, ["standard user", "none shared"], (np.arange(50) >= 40).astype(int), np.arange(50) < 40)

    listed, others, shared = derive(DRAWS, people, "Exchange/Send", None).levels(
        [np.arange(10), np.arange(10, 40), np.arange(40, 50)]
    )

    assert others.people.mean() == pytest.approx(30 * 0.75 * 8, rel=0.1)
    assert width(others.people) > 2 * width(listed.people)
    assert not shared.people.any()


@pytest.mark.parametrize(("few", "many"), [(1, 5), (3, 20), (8, 80)])
def test_fewer_emitting_mailboxes_are_less_certain(few: int, many: int) -> None:
    dice = np.random.default_rng(12)
    counts = dice.gamma(0.6, 30.0, (400, 3))
    people = population(counts, ["standard user"], np.zeros(400, int))
    rate = counts.sum(axis=1) * dice.gamma(3, 1 / 3, 400)

    def level(n: int) -> np.ndarray:
        sampled = Sampled(np.arange(n, dtype=np.intp), rate[:n], np.zeros(n))
        return learn(DRAWS, people, ATTACHMENTS, sampled).levels([np.arange(100, 400)])[0].people

    assert width(level(few)) > 1.15 * width(level(many))
    assert width(level(1)) > 1.0


def test_one_busy_pilot_does_not_decide_alone() -> None:
    """One mailbox at 500 a day among average activity: the published 35 pulls, and the interval reaches down to it."""
    people = population(np.full((101, 3), 5.0), ["premium user", "standard user"], np.minimum(np.arange(101), 1))
    sampled = Sampled(np.zeros(1, np.intp), np.array([500.0]), np.zeros(1))

    (level,) = learn(DRAWS, people, MAIL_ITEMS, sampled).levels([np.arange(1, 101)])

    assert level.people.mean() < 100 * 300
    assert np.quantile(level.people, 0.1) < 100 * 120


def test_without_any_activity_report_the_rest_is_taken_to_be_quieter_and_far_from_certain() -> None:
    klass = (np.arange(200) >= 50).astype(int)
    classes = ["premium user", "standard user"]
    rate = np.random.default_rng(1).gamma(1.0, 40.0, 50)
    sampled = Sampled(np.arange(50, dtype=np.intp), rate, np.zeros(50))
    joining = np.arange(50, 200)

    blind = population(np.full((200, 3), np.nan), classes, klass)
    seeing = population(np.full((200, 3), 5.0), classes, klass)
    (dark,) = learn(DRAWS, blind, ATTACHMENTS, sampled).levels([joining])
    (light,) = learn(DRAWS, seeing, ATTACHMENTS, sampled).levels([joining])

    assert dark.people.mean() < 0.7 * light.people.mean()
    assert width(dark.people) > 1.5 * width(light.people)


def test_a_single_mailbox_without_a_sample_is_less_certain_than_a_hundred() -> None:
    people = population(np.full((100, 3), 5.0), ["standard user"], np.zeros(100, int))

    (one,) = Published(DRAWS, people, MAIL_ITEMS).levels([np.arange(1)])
    (all_,) = Published(DRAWS, people, MAIL_ITEMS).levels([np.arange(100)])

    assert width(one.people) > 1.3 * width(all_.people)
