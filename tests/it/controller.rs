//! Running for ever, on simulated time: the clock is paused and moves when everything waits.

mod back_off;
mod contested;
mod fleet;
mod hinted;
mod live;
mod logs;
mod notify;
mod now;
mod process;
mod restart;
mod ruled;
mod scale;
mod served;
mod sources;
mod stage;
mod turns;
mod waves;
mod weather;
mod wide;
