//! What is always true of a data center, whoever does what to it: random walks over operations of both sides, with jobs
//! that fail, cancels, steps of the clock and restarts in between. After each step the twelve invariants are looked at
//! from the outside, through the answers of both sides.

mod checks;
mod steps;
mod world;

use world::World;

/// How many walks a test goes, and of how many steps each.
const WALKS: u64 = 6;
const STEPS: usize = 60;

/// Goes a few walks. What a failure says has the seed of its walk.
async fn walks(first: u64) {
    for seed in first..first + WALKS {
        let mut world = World::new(seed).await;
        world.check().await;
        for _ in 0..STEPS {
            world.step().await;
            world.check().await;
        }
        world.settle().await;
        world.check().await;
    }
}

// Side by side, since each takes its time.

#[tokio::test]
async fn both_sides_agree_on_the_first_walks() {
    walks(1).await;
}

#[tokio::test]
async fn both_sides_agree_on_the_second_walks() {
    walks(101).await;
}

#[tokio::test]
async fn both_sides_agree_on_the_third_walks() {
    walks(201).await;
}

#[tokio::test]
async fn both_sides_agree_on_the_fourth_walks() {
    walks(301).await;
}
