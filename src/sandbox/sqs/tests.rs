use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn bodies(taken: &(Vec<Message>, Vec<Message>)) -> Vec<&str> {
    taken.0.iter().map(|message| message.body.as_str()).collect()
}

const HIDDEN: Duration = Duration::from_secs(60);

#[test]
fn a_group_comes_in_order_and_waits_for_what_is_in_flight() {
    let mut queue = Queue::named("q.fifo");
    for (id, body, group) in [("1", "a1", "a"), ("2", "a2", "a"), ("3", "b1", "b")] {
        queue.put(id.into(), body, Some((group, id)), at(0));
    }
    let first = queue.take(1, HIDDEN, at(0), "x");
    assert_eq!(bodies(&first), ["a1"]);
    assert_eq!(bodies(&queue.take(10, HIDDEN, at(1), "x")), ["b1"], "the rest of `a` waits");
    let receipt = first.0[0].receipt.clone().expect("one");
    queue.delete(&receipt, at(2)).expect("deleted");
    assert_eq!(bodies(&queue.take(10, HIDDEN, at(2), "x")), ["a2"]);
    assert!(!queue.has(at(3)));
}

#[test]
fn an_id_is_remembered_for_five_minutes_also_after_its_message_was_deleted() {
    let mut queue = Queue::named("q.fifo");
    queue.put("1".into(), "x", Some(("a", "slot")), at(0));
    let taken = queue.take(1, HIDDEN, at(0), "x");
    queue.delete(taken.0[0].receipt.as_deref().expect("one"), at(1)).expect("deleted");
    assert_eq!(queue.put("2".into(), "x", Some(("a", "slot")), at(299)), "1", "the first one's id");
    assert!(!queue.has(at(299)));
    queue.put("3".into(), "x", Some(("a", "slot")), at(300));
    assert!(queue.has(at(300)));
}

#[test]
fn what_is_not_deleted_comes_again_and_an_old_receipt_is_worth_nothing() {
    let mut queue = Queue::named("q.fifo");
    queue.put("1".into(), "x", Some(("a", "1")), at(0));
    let old = queue.take(1, HIDDEN, at(0), "x").0[0].receipt.clone().expect("one");
    queue.hide(&old, HIDDEN, at(50)).expect("prolonged");
    assert!(!queue.has(at(100)) && queue.has(at(110)));
    let new = queue.take(1, HIDDEN, at(110), "x").0[0].receipt.clone().expect("one");
    assert!(queue.delete(&old, at(111)).is_err_and(|why| why.message.contains("expired")));
    assert!(queue.hide(&old, HIDDEN, at(111)).is_err());
    queue.hide(&new, Duration::ZERO, at(112)).expect("handed back");
    assert!(queue.has(at(112)));
}

#[test]
fn what_was_received_too_often_goes_to_the_dead_letters() {
    let mut queue = Queue::named("q");
    queue.redrive = Some(("dead".into(), 2));
    queue.put("1".into(), "x", None, at(0));
    for second in [0, 60] {
        assert_eq!(bodies(&queue.take(1, HIDDEN, at(second), "x")), ["x"]);
    }
    let (taken, dead) = queue.take(1, HIDDEN, at(120), "x");
    assert!(taken.is_empty() && queue.messages.is_empty());
    assert_eq!(dead[0].body, "x");
}
