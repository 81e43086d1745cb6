//! What a manifest holds: an image, or each page of a stack where pages have names, or the images of a
//! folder. Each is opened for its size, one after the other, so that a manifest is never more than one
//! request to the images at a time.

use std::sync::Arc;

use crate::actors::{Facts, Service, ServiceError};
use crate::model::request::Conditions;
use crate::model::{Fault, FaultKind, ImageId, ImageInfo, Reply, Request, Slice, Want};
use crate::protocols::wire::Response;
use crate::protocols::{Canvas, ManifestCall, Settings, sliced_name};

/// The canvases of a manifest, and when the latest of their files was changed.
struct Contents {
    canvases: Vec<Canvas>,
    modified_s: i64,
}

/// Answers a manifest.
///
/// # Errors
/// Neither an image nor a folder of this name; a folder without images that can be shown; more of them than
/// the limit.
pub(super) async fn answer(
    service: &Service,
    settings: &Settings,
    call: &ManifestCall,
) -> Result<Response, Fault> {
    let contents = match call.image(settings) {
        Ok(image) => match described(service, image.clone()).await {
            Ok((info, modified_s)) => of_image(service, settings, image, info, modified_s).await?,
            Err(fault) if fault.kind == FaultKind::NotFound => {
                of_folder(service, settings, call).await?
            }
            Err(fault) => return Err(fault),
        },
        Err(_) if call.name.trim_matches('/').is_empty() => {
            of_folder(service, settings, call).await?
        }
        Err(fault) => return Err(fault),
    };
    Ok(call.respond(&contents.canvases, contents.modified_s, settings))
}

/// What an image's header says, and when its file was changed.
pub(super) async fn described(
    service: &Service,
    image: ImageId,
) -> Result<(Arc<ImageInfo>, i64), Fault> {
    let request = Request { image, want: Want::Info, conditions: Conditions::default() };
    match service.answer(&request, &mut Facts::default()).await {
        Ok(Reply::Info { info, modified_s }) => Ok((info, modified_s)),
        Ok(_) => Err(Fault::not_found("there is no image of this name")),
        Err(error) => Err(error.fault()),
    }
}

/// The image alone, or all pages of its stack.
async fn of_image(
    service: &Service,
    settings: &Settings,
    image: ImageId,
    info: Arc<ImageInfo>,
    modified_s: i64,
) -> Result<Contents, Fault> {
    let pages = &info.views.horizontal;
    let delimiter = settings.delimiter.as_deref().filter(|_| image.slice() == Slice::Main);
    let (Some(delimiter), true) = (delimiter, 1 < pages.len()) else {
        let named = |delimiter| sliced_name(image.as_str(), image.slice(), delimiter);
        let name = settings.delimiter.as_deref().map_or_else(|| image.as_str().to_owned(), named);
        let label = image.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        return Ok(Contents { canvases: vec![Canvas { name, label, info }], modified_s });
    };
    if settings.canvases_max < pages.len() {
        return Err(too_many(settings));
    }
    let mut canvases = Vec::with_capacity(pages.len());
    for (index, page) in pages.iter().enumerate() {
        let told = info.views.stack.get(index).map_or("", |page| page.name.as_str());
        let label = if told.is_empty() { (page + 1).to_string() } else { told.to_owned() };
        let (info, _) = described(service, image.clone().with_slice(Slice::page(*page))).await?;
        canvases.push(Canvas { name: format!("{}{delimiter}{page}", image.as_str()), label, info });
    }
    Ok(Contents { canvases, modified_s })
}

/// Every image of the folder that can be opened.
async fn of_folder(
    service: &Service,
    settings: &Settings,
    call: &ManifestCall,
) -> Result<Contents, Fault> {
    let absent = || Fault::not_found("there is no image or folder of this name");
    let folder = match ImageId::parse(&call.name) {
        Ok(folder) => folder.as_str().to_owned(),
        Err(_) => String::new(),
    };
    let listed = service.list(folder.clone(), None, settings.canvases_max).await;
    let listing = listed.map_err(|error| match error {
        ServiceError::Source(_) => absent(),
        error => error.fault(),
    })?;
    if listing.next.is_some() {
        return Err(too_many(settings));
    }
    let mut contents = Contents { canvases: Vec::new(), modified_s: 0 };
    for file in listing.files {
        let name =
            if folder.is_empty() { file.name.clone() } else { format!("{folder}/{}", file.name) };
        let Ok(image) = ImageId::parse(&name) else { continue };
        match described(service, image).await {
            Ok((info, modified_s)) => {
                contents.canvases.push(Canvas { name, label: file.name, info });
                contents.modified_s = contents.modified_s.max(modified_s);
            }
            Err(fault) if fault.kind == FaultKind::Busy => return Err(fault),
            // One file that is broken does not take the others away.
            Err(_) => {}
        }
    }
    if contents.canvases.is_empty() { Err(absent()) } else { Ok(contents) }
}

fn too_many(settings: &Settings) -> Fault {
    let limit = settings.canvases_max;
    let text = format!("there are more than the {limit} images that a manifest holds here");
    Fault::new(FaultKind::TooLarge, text)
}
