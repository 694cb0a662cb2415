//! Bounds of `--jq`: a stack that is large and watched, values of a depth that can be dropped, compared and written,
//! and texts of a length that fits into memory.

use std::cell::Cell;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Error as Fault, Exn, Native, data};
use jaq_json::{Num, Val};

use crate::error::{Error, Result};

/// Values nested deeper are refused.
pub(super) const MAX_DEPTH: usize = 1000;

/// Values of more parts are refused where they are measured.
const MAX_SIZE: usize = 1 << 24;

/// Texts that a multiplication would make longer are refused.
const MAX_LEN: usize = 64 << 20;

/// Arrays are not filled up with nulls to more than these elements.
pub(super) const MAX_ELEMENTS: usize = 1 << 20;

/// The stack of an expression: as large as is to be had, in bytes. Only what is used of it takes memory.
const STACKS: [usize; 3] = [512 << 20, 128 << 20, 64 << 20];

/// How often the one that waits for a result looks at what else there is.
const TICK: Duration = Duration::from_millis(50);

/// After so many results as well.
const OFTEN: usize = 1024;

/// Results that wait to be printed.
const WAITING: usize = 64;

thread_local! {
    /// Where the stack of this thread is used up; zero where nobody has said.
    static FLOOR: Cell<usize> = const { Cell::new(0) };
    /// What has been made since a value was last measured, and when one is measured next.
    static MADE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Does the work on a stack that is large enough, and hands over what it sends. Now and then, `idle` is asked whether
/// to go on; if not, the work is left to itself.
///
/// # Errors
/// The work's, the taker's, or that of `idle`.
pub(super) fn on_a_large_stack<T: Send + 'static>(
    work: impl FnOnce(&mpsc::SyncSender<T>) -> Result<()> + Send + 'static,
    mut idle: impl FnMut() -> Result<()>,
    mut take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let (sender, results) = mpsc::sync_channel(WAITING);
    let worker = spawn(move || work(&sender))?;
    for taken in 1usize.. {
        match results.recv_timeout(TICK) {
            Ok(result) => take(result)?,
            Err(RecvTimeoutError::Timeout) => idle()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // Results without end leave no idle time.
        if taken % OFTEN == 0 {
            idle()?;
        }
    }
    worker.join().unwrap_or_else(|_| Err(Error::other("the --jq expression failed")))
}

/// Starts the work on the largest stack that there is.
fn spawn(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<JoinHandle<Result<()>>> {
    // A thread that cannot start takes with it what it was given.
    let work = Arc::new(Mutex::new(Some(work)));
    let mut failed = None;
    for stack in STACKS {
        let work = Arc::clone(&work);
        let started = std::thread::Builder::new().name("jq".to_owned()).stack_size(stack).spawn(move || {
            // Half of it is left to those filters that ask nobody.
            FLOOR.set(here().saturating_sub(stack / 2));
            let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
            work.map_or(Ok(()), |work| work())
        });
        match started {
            Ok(worker) => return Ok(worker),
            Err(error) => failed = Some(error),
        }
    }
    let error = Error::other("--jq cannot start: there is no memory for it");
    Err(failed.into_iter().fold(error, Error::because))
}

/// Where the stack has come to.
fn here() -> usize {
    let mark = 0u8;
    std::ptr::from_ref(std::hint::black_box(&mark)).addr()
}

type Outcome = std::result::Result<Val, Fault<Val>>;

/// The filters that hold the bounds.
pub(super) fn funs() -> impl Iterator<Item = Fun<data::JustLut<Val>>> {
    let call = Native::new(|cv| bome(called(cv.1)))
        .with_paths(|cv| box_once(called(cv.1.0).map(|value| (value, cv.1.1)).map_err(Exn::from)))
        .with_update(|cv, f| match called(cv.1) {
            Ok(value) => f(value),
            Err(fault) => box_once(Err(Exn::from(fault))),
        });
    [
        ("__call", v(0), call),
        run(("__made", v(0), |cv| bome(made(cv.1)))),
        run(("__times", v(1), |mut cv| {
            let by = cv.0.pop_var();
            bome(times(cv.1, by))
        })),
    ]
    .into_iter()
}

/// At the beginning of every definition.
fn called(value: Val) -> Outcome {
    if here() < FLOOR.get() {
        std::mem::forget(value);
        return Err(Fault::str("it calls itself too often"));
    }
    Ok(value)
}

/// After every array, object and change: none of them makes a value deeper by more than a little. One is measured when
/// as much has been made as the last measuring took, and somewhat more, so that measuring costs no more than making.
fn made(value: Val) -> Outcome {
    const WORTH: usize = 16;
    const LEAST: usize = 1000;
    let (made, due) = MADE.get();
    if !matches!(value, Val::Arr(_) | Val::Obj(_)) || made + WORTH < due.max(LEAST) {
        MADE.set((made + WORTH, due));
        return Ok(value);
    }
    let mut seen = 0;
    let deep = is_deeper(&value, MAX_DEPTH, &mut seen);
    // The remainder keeps it from meeting always the same place of a loop.
    MADE.set((0, seen + LEAST + (due.wrapping_mul(31) + seen) % 97 * WORTH));
    if deep {
        return Err(Fault::str(format!("a value is nested deeper than {MAX_DEPTH} levels, or too large")));
    }
    Ok(value)
}

/// Whether there are more levels than so many. What has one value in many places may have no end: it counts as deep.
fn is_deeper(value: &Val, levels: usize, seen: &mut usize) -> bool {
    *seen += 1;
    match value {
        _ if *seen > MAX_SIZE => true,
        Val::Arr(_) | Val::Obj(_) if levels == 0 => true,
        Val::Arr(values) => values.iter().any(|value| is_deeper(value, levels - 1, seen)),
        Val::Obj(members) => members.values().any(|value| is_deeper(value, levels - 1, seen)),
        _ => false,
    }
}

/// The value of a number.
pub(super) fn float(number: &Num) -> f64 {
    match number {
        Num::Float(float) => *float,
        number => number.to_string().parse().unwrap_or(f64::NAN),
    }
}

/// A product. A text is repeated, as jq does it.
fn times(left: Val, right: Val) -> Outcome {
    match (left, right) {
        (text @ Val::TStr(_), Val::Num(count)) | (Val::Num(count), text @ Val::TStr(_)) => repeated(&text, &count),
        (left, right) => left * right,
    }
}

fn repeated(text: &Val, count: &Num) -> Outcome {
    let count = float(count);
    let Val::TStr(bytes) = text else { return Ok(Val::Null) };
    if count.is_nan() || count < 0.0 {
        return Ok(Val::Null);
    }
    let count = count.trunc();
    if bytes.len() as f64 * count > MAX_LEN as f64 {
        return Err(Fault::str(format!("a text longer than {} MiB", MAX_LEN >> 20)));
    }
    Ok(Val::utf8_str(bytes.repeat(count as usize)))
}
