//! The use cases over a real index, real keys and real files, each of which can be made to fail at a step.
mod authorities;
mod batches;
mod creating;
mod falling;
mod faulty;
mod faulty_keys;
mod faulty_publication;
mod fixture;
mod generations;
mod linking;
mod lists;
mod order;
mod overtaking;
mod recovering;
mod renewing;
mod responders;
mod revoking;
