//! What an address asks for, and how it would be answered: level, tiles, steps, cost, key; and where the
//! time goes if it is.

use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::actors::state::Explained;
use crate::actors::{Facts, Service};
use crate::front::manners::Manners;
use crate::model::{Fault, Size};
use crate::plan::Plan;
use crate::protocols::wire::{Method, RawRequest};
use crate::protocols::{self, Call, Parsed};

/// Explains an address; `run` has it answered, too.
///
/// # Errors
/// What the address itself would answer.
pub(super) async fn explain(
    service: &Service,
    manners: &Manners,
    address: &str,
    run: bool,
) -> Result<Value, Fault> {
    let call = call(address, manners)?;
    let explained = service.explain(&call.request).await.map_err(|error| error.fault())?;
    let mut told = told(&explained);
    if let (true, Some(told)) = (run, told.as_object_mut()) {
        let (started, mut facts) = (Instant::now(), Facts::default());
        service.answer(&call.request, &mut facts).await.map_err(|error| error.fault())?;
        told.insert("answered".to_owned(), answered(&facts, started.elapsed()));
    }
    Ok(told)
}

/// The question that an address asks of an image.
fn call(address: &str, manners: &Manners) -> Result<Box<Call>, Fault> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let raw = RawRequest {
        method: Method::Get,
        path,
        query,
        query_rules: false,
        body: &[],
        scheme: "http",
        host: "localhost",
        prefix: "",
        iiif_id: None,
        accept: "",
        if_none_match: None,
        if_modified_since_s: None,
    };
    match protocols::parse(&raw, &manners.settings) {
        Ok(Parsed::Call(call)) => Ok(call),
        Ok(_) => Err(Fault::bad_request("this address asks for no picture")),
        Err(refusal) => Err(refusal.fault),
    }
}

fn told(explained: &Explained) -> Value {
    let (image, info) = (&explained.image, explained.image.info());
    let plan = explained.plan.as_ref();
    json!({
        "image": image.id().as_str(),
        "container": info.container,
        "size": sides(info.size),
        "plan": plan.map(|plan| planned(plan, explained)),
    })
}

fn planned(plan: &Plan, explained: &Explained) -> Value {
    let level = explained.image.info().stored.get(plan.source.stored);
    let area = plan.source.area;
    json!({
        "class": plan.class.label(),
        "lane": plan.lane().label(),
        "level": plan.source.stored,
        "level_size": level.map(|level| sides(level.size)),
        "level_is_in_file": level.map(|level| level.made_from.is_none()),
        "area": [area.left(), area.top(), area.width(), area.height()],
        "tiles": plan.source.tiles().take(TILES_SHOWN_MAX)
            .map(|at| [at.column, at.row]).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(first_word).collect::<Vec<_>>(),
        "format": plan.encode.format.suffix(),
        "quality": plan.encode.quality,
        "stored_tile_is_sent": plan.pass_through.is_some(),
        "cost": {
            "tiles": plan.cost.tiles,
            "source_px": plan.cost.source_px,
            "bytes_to_read": plan.cost.bytes_to_read,
            "output_px": plan.cost.output_px,
            "bytes_in_decode": plan.cost.bytes_in_decode,
            "bytes_if_decoded": plan.cost.bytes_if_decoded,
        },
        "key": plan.key.to_string(),
        "is_cached": explained.is_cached,
    })
}

/// Tiles that are listed; the cost has their number.
const TILES_SHOWN_MAX: usize = 64;

fn answered(facts: &Facts, took: Duration) -> Value {
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    json!({
        "outcome": facts.outcome,
        "ms": ms(took),
        "decode_ms": ms(facts.spent.decode),
        "process_ms": ms(facts.spent.process),
        "watermark_ms": ms(facts.spent.watermark),
        "encode_ms": ms(facts.spent.encode),
    })
}

const fn sides(size: Size) -> [u32; 2] {
    [size.width(), size.height()]
}

/// The name of a value's variant, of which the rest may be megabytes of pixels.
fn first_word(value: &impl fmt::Debug) -> String {
    let mut word = FirstWord::default();
    // It ends writing by an error as soon as it has its word.
    let _cut_short = write!(word, "{value:?}");
    word.0
}

#[derive(Default)]
struct FirstWord(String);

impl Write for FirstWord {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if !c.is_alphanumeric() {
                return Err(fmt::Error);
            }
            self.0.push(c);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_value_only_its_name_is_told() {
        assert_eq!(first_word(&Some(vec![0; 100])), "Some");
        assert_eq!(first_word(&Size::ONE), "Size");
    }
}
