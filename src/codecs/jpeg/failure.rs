//! libjpeg's way to report: its error manager, set so that damage ends a decode as an error. Without
//! that a truncated stream "succeeds" with gray pixels.
#![expect(unsafe_code, reason = "the error manager is a C structure of function pointers")]

use std::any::Any;
use std::mem;
use std::os::raw::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg_sys::{
    J_MESSAGE_CODE, JERR_ARITH_NOTIMPL, JERR_BAD_PRECISION, JERR_SOF_UNSUPPORTED, JWRN_ADOBE_XFORM,
    JWRN_BOGUS_ICC, JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR, JWRN_TOO_MUCH_DATA, jpeg_common_struct,
    jpeg_error_mgr, jpeg_std_error,
};

use crate::codecs::CodecError;
use crate::codecs::jpeg::JPEG;

/// Warnings that lose no pixel; every other one means damage.
const HARMLESS: [J_MESSAGE_CODE; 5] =
    [JWRN_ADOBE_XFORM, JWRN_BOGUS_ICC, JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR, JWRN_TOO_MUCH_DATA];

/// Errors that say "not built in" rather than "broken".
const UNSUPPORTED: [J_MESSAGE_CODE; 3] =
    [JERR_ARITH_NOTIMPL, JERR_BAD_PRECISION, JERR_SOF_UNSUPPORTED];

/// What unwinds through libjpeg's frames from [`fail`] to [`guarded`].
struct Failure {
    unsupported: bool,
    text: String,
}

/// An error manager whose errors, and warnings of damage, unwind: use it inside [`guarded`].
pub(super) fn error_manager() -> jpeg_error_mgr {
    // SAFETY: a C structure of integers, nullable pointers and `Option`s of function pointers, all of
    // which may be zero.
    let mut manager: jpeg_error_mgr = unsafe { mem::zeroed() };
    // SAFETY: it fills the structure it is given and keeps no pointer to it.
    unsafe { jpeg_std_error(&mut manager) };
    manager.error_exit = Some(error_exit);
    manager.emit_message = Some(emit_message);
    manager
}

/// Runs libjpeg and turns what unwinds out of it into an error.
///
/// # Errors
/// Whatever `run` returns; `Malformed` or `Unsupported` with libjpeg's own words.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, CodecError>) -> Result<T, CodecError> {
    // What `run` borrows mutably is a buffer of samples: half filled is still a valid buffer.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| Err(error_of(payload)))
}

fn error_of(payload: Box<dyn Any + Send>) -> CodecError {
    match payload.downcast::<Failure>() {
        Ok(failure) if failure.unsupported => CodecError::unsupported(JPEG, failure.text),
        Ok(failure) => CodecError::malformed(JPEG, failure.text),
        // No failure of libjpeg's: a bug of ours, which the pool reports as such.
        Err(payload) => resume_unwind(payload),
    }
}

/// Called where libjpeg cannot go on; never returns to it.
extern "C-unwind" fn error_exit(common: &mut jpeg_common_struct) {
    fail(common);
}

/// Called with -1 for warnings, and with 0 or more for traces.
extern "C-unwind" fn emit_message(common: &mut jpeg_common_struct, level: c_int) {
    if level < 0 && !HARMLESS.iter().any(|code| is(*code, message_code(common))) {
        fail(common);
    }
}

fn fail(common: &mut jpeg_common_struct) -> ! {
    let code = message_code(common);
    let unsupported = UNSUPPORTED.iter().any(|known| is(*known, code));
    // Unlike `panic!` this does not call the panic hook: a broken file is no news for the log.
    resume_unwind(Box::new(Failure { unsupported, text: message_text(common) }))
}

fn is(known: J_MESSAGE_CODE, code: c_int) -> bool {
    c_int::try_from(known).is_ok_and(|known| known == code)
}

fn message_code(common: &jpeg_common_struct) -> c_int {
    // SAFETY: libjpeg calls back with the manager that it was given, which outlives the decoder.
    unsafe { common.err.as_ref() }.map_or(0, |manager| manager.msg_code)
}

/// libjpeg's sentence about what happened.
fn message_text(common: &mut jpeg_common_struct) -> String {
    type Declared = unsafe extern "C-unwind" fn(&mut jpeg_common_struct, &[u8; 80]);
    type Actual = unsafe extern "C-unwind" fn(&mut jpeg_common_struct, &mut [u8; 80]);
    // SAFETY: as in `message_code`.
    let format = unsafe { common.err.as_ref() }.and_then(|manager| manager.format_message);
    let Some(format) = format else { return "unknown error".to_owned() };
    // SAFETY: the two types differ only in the mutability of the buffer, which C writes to.
    let format = unsafe { mem::transmute::<Declared, Actual>(format) };
    let mut buffer = [0; 80];
    // SAFETY: the buffer has the length (JMSG_LENGTH_MAX, 80) that libjpeg asks for.
    unsafe { format(common, &mut buffer) };
    let text = buffer.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
