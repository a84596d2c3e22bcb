"""The looks of many plans in one search: what each finds, and when a list is believed."""

import pytest

from ivfhir.errors import NotFoundError, RejectedError, UnreachableError
from ivfhir.sync.bulk import Lists, Look, look_together, search_any


class Shelf:
    """Resources that are searched by comma lists, or by a list's first value alone."""

    def __init__(self, resources, *, lists=True, error=None):
        self.resources = resources
        self.lists = lists
        self.error = error
        self.asked = []

    def search(self, resource_type, params):
        self.asked.append((resource_type, dict(params)))
        if self.error is not None:
            raise self.error
        ((name, joined),) = params.items()
        values = joined.split(",")
        look = Look(resource_type, name, tuple(values if self.lists else values[:1]))
        return [each for each in self.resources if look.finds(each)]


def plan(plan_id, patient_id):
    identifier = [{"system": "urn:s", "value": plan_id}]
    subject = {"reference": f"https://x.example/fhir/Patient/{patient_id}"}
    return {
        "resourceType": "CarePlan",
        "id": plan_id,
        "identifier": identifier,
        "subject": subject,
    }


PLANS = [plan("1", "a"), plan("2", "b"), plan("3", "b")]
OF_A = Look("CarePlan", "patient", ("Patient/a",))
OF_B = Look("CarePlan", "patient", ("Patient/b",))
OF_C = Look("CarePlan", "patient", ("Patient/c",))


def ids(found):
    return {look: [each["id"] for each in resources] for look, resources in found.items()}


def test_one_search_answers_looks_of_one_type_and_parameter():
    shelf = Shelf(PLANS)
    found = look_together(shelf, [OF_A, OF_B, OF_C], Lists())
    assert ids(found) == {OF_A: ["1"], OF_B: ["2", "3"], OF_C: []}
    assert shelf.asked == [("CarePlan", {"patient": "Patient/a,Patient/b,Patient/c"})]


def test_a_look_of_several_identifiers_finds_what_has_one_of_them():
    both = Look("CarePlan", "identifier", ("urn:s|1", "urn:s|2"))
    bare = Look("CarePlan", "identifier", ("3",))
    found = look_together(Shelf(PLANS), [both, bare], Lists())
    assert ids(found) == {both: ["1", "2"], bare: ["3"]}


def test_a_list_that_was_seen_to_answer_one_look_is_not_believed():
    """A server without lists takes the comma for a part of the value, or the first value alone."""
    lists = Lists()
    assert look_together(Shelf(PLANS, lists=False), [OF_A, OF_B], lists) == {}
    assert look_together(Shelf([]), [OF_A, OF_B], lists) == {}
    assert not lists.believes("CarePlan", "patient")


def test_a_list_is_believed_once_it_was_seen_and_of_a_server_that_is_known_to_take_it():
    lists = Lists()
    assert len(look_together(Shelf(PLANS), [OF_A, OF_B], lists)) == 2
    assert look_together(Shelf([]), [OF_A, OF_B], lists) == {OF_A: [], OF_B: []}
    assert not lists.believes("CarePlan", "identifier")
    assert look_together(Shelf([]), [OF_A, OF_B], Lists(known=True)) == {OF_A: [], OF_B: []}


@pytest.mark.parametrize("lists", [True, False])
def test_on_trial_each_is_asked_alone_at_the_same_time_and_that_answer_counts(lists):
    shelf, known, rounds = Shelf(PLANS, lists=lists), Lists(), []

    def each(ask, searches, *more):
        rounds.append(len(searches))
        return map(ask, searches, *more)

    found = look_together(shelf, [OF_B, OF_C], known, each=each, on_trial=True)
    assert ids(found) == {OF_B: ["2", "3"], OF_C: []}
    assert (rounds, known.believes("CarePlan", "patient")) == ([3], False)


def test_a_look_that_is_refused_alone_says_nothing_of_lists():
    class NotOfB(Shelf):
        def search(self, resource_type, params):
            if params == OF_B.params:
                raise NotFoundError("no such patient")
            return super().search(resource_type, params)

    known = Lists()
    found = look_together(NotOfB(PLANS[:1]), [OF_A, OF_B], known, on_trial=True)
    assert ids(found) == {OF_A: ["1"]}
    assert known.takes("CarePlan", "patient")


def test_on_trial_what_is_believed_is_asked_once_and_what_stands_alone_too():
    shelf = Shelf(PLANS)
    assert len(look_together(shelf, [OF_A, OF_B], Lists(known=True), on_trial=True)) == 2
    assert len(look_together(shelf, [OF_A], Lists(), on_trial=True)) == 1
    assert len(shelf.asked) == 2


def test_one_look_alone_is_the_search_that_it_would_be():
    assert look_together(Shelf([]), [OF_A], Lists()) == {OF_A: []}


TWO = Look("CarePlan", "identifier", ("urn:s|9", "urn:s|2"))


@pytest.mark.parametrize("looks", [[TWO], [TWO, Look("CarePlan", "identifier", ("8",))]])
def test_what_one_plans_own_list_does_not_find_is_not_known_to_be_absent(looks):
    assert TWO not in look_together(Shelf(PLANS, lists=False), looks, Lists())


def test_on_trial_the_values_of_one_look_are_asked_alone():
    looks = [TWO, Look("CarePlan", "identifier", ("urn:s|8",))]
    found = look_together(Shelf(PLANS, lists=False), looks, Lists(), on_trial=True)
    assert ids(found) == {looks[0]: ["2"], looks[1]: []}


def test_what_a_list_of_identifiers_does_not_find_is_asked_for_value_by_value():
    shelf, lists = Shelf(PLANS, lists=False), Lists()
    assert search_any(shelf, "CarePlan", TWO.params, lists) == [PLANS[1]]
    asked = [params["identifier"] for _, params in shelf.asked]
    assert asked == ["urn:s|9,urn:s|2", "urn:s|9", "urn:s|2"]
    shelf = Shelf(PLANS)
    assert search_any(shelf, "CarePlan", TWO.params, lists) == [PLANS[1]]
    assert search_any(Shelf([]), "CarePlan", TWO.params, Lists(known=True)) == []
    assert len(shelf.asked) == 1


def test_a_comma_inside_an_identifier_makes_no_list():
    shelf = Shelf([])
    search_any(shelf, "CarePlan", {"identifier": r"urn:s|a\,b"}, Lists())
    search_any(shelf, "CarePlan", {"identifier": r"urn:s|a\\,b"}, Lists())
    asked = [params["identifier"] for _, params in shelf.asked]
    assert asked == [r"urn:s|a\,b", r"urn:s|a\\,b", r"urn:s|a\\", "b"]


def test_a_list_of_identifiers_that_is_refused_is_asked_for_value_by_value():
    class NoLists(Shelf):
        def search(self, resource_type, params):
            if "," in params["identifier"]:
                self.asked.append((resource_type, params))
                raise RejectedError("no lists")
            return super().search(resource_type, params)

    shelf, lists = NoLists(PLANS), Lists(known=True)
    for _ in range(2):
        assert search_any(shelf, "CarePlan", TWO.params, lists) == [PLANS[1]]
    assert len(shelf.asked) == 5, "the list was tried once"


def test_a_search_that_is_refused_alone_too_is_refused_and_says_nothing_of_lists():
    lists = Lists()
    with pytest.raises(RejectedError):
        search_any(Shelf(PLANS, error=RejectedError("no")), "CarePlan", TWO.params, lists)
    assert lists.takes("CarePlan", "identifier")


def test_ids_need_no_proof_for_what_is_left_out_is_read_alone():
    looks = [Look("CarePlan", "_id", (each,)) for each in ("1", "9")]
    assert ids(look_together(Shelf(PLANS), looks, Lists())) == {looks[0]: ["1"], looks[1]: []}


def test_addresses_stay_short_and_searches_stay_one_page():
    shelf = Shelf([])
    long = [Look("CarePlan", "_id", (f"{number:036}",)) for number in range(250)]
    assert len(look_together(shelf, long, Lists())) == 250
    joined = [params["_id"] for _, params in shelf.asked]
    assert len(joined) == 3
    assert max(map(len, joined)) < 4000
    shelf.asked.clear()
    short = [Look("CarePlan", "_id", (str(number),)) for number in range(250)]
    look_together(shelf, short, Lists())
    assert [params["_id"].count(",") + 1 for _, params in shelf.asked] == [100, 100, 50]


@pytest.mark.parametrize(
    ("error", "searches"), [(RejectedError, 1), (NotFoundError, 1), (UnreachableError, 2)]
)
def test_a_list_that_fails_answers_nothing_and_one_that_is_refused_is_not_tried_again(
    error, searches
):
    shelf, lists = Shelf(PLANS, error=error("no")), Lists(known=True)
    for _ in range(2):
        assert look_together(shelf, [OF_A, OF_B], lists) == {}
    assert len(shelf.asked) == searches
