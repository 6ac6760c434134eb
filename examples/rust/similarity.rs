//! How similar two sentences are, in Rust, by the C API and nothing else:
//!
//!     rustc -O similarity.rs -L DIR -l klue_roberta
//!     LD_LIBRARY_PATH=DIR ./similarity MODEL SENTENCE SENTENCE

use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_void};
use std::ptr;

#[repr(C)]
struct Text {
    data: *const c_char,
    size: usize,
    pair_data: *const c_char,
    pair_size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Info {
    // the part of klue_model_info that is used here
    struct_size: usize,
    engine: *const c_char,
    weights_format: *const c_char,
    head: *const c_char,
    threads: usize,
    embedding_size: usize,
}

extern "C" {
    fn klue_error_message() -> *const c_char;
    fn klue_model_load(dir: *const c_char, options: *const c_void, out: *mut *mut c_void) -> i32;
    fn klue_model_get_info(model: *const c_void, info: *mut Info) -> i32;
    fn klue_model_embed(
        model: *const c_void,
        texts: *const Text,
        count: usize,
        options: *const c_void,
        out: *mut f32,
        size: usize,
    ) -> i32;
    fn klue_model_free(model: *mut c_void);
}

fn check(status: i32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    // The message is this thread's, and stays until its next call.
    Err(unsafe { CStr::from_ptr(klue_error_message()) }.to_string_lossy().into_owned())
}

/// Immutable in the library, so threads may share it.
struct Model {
    handle: *mut c_void,
    size: usize,
}
unsafe impl Send for Model {}
unsafe impl Sync for Model {}

impl Model {
    fn load(directory: &str) -> Result<Model, String> {
        let directory = CString::new(directory).map_err(|e| e.to_string())?;
        let mut model = Model { handle: ptr::null_mut(), size: 0 };
        check(unsafe { klue_model_load(directory.as_ptr(), ptr::null(), &mut model.handle) })?;
        let mut info: Info = unsafe { std::mem::zeroed() };
        info.struct_size = std::mem::size_of::<Info>();
        check(unsafe { klue_model_get_info(model.handle, &mut info) })?;
        model.size = info.embedding_size;
        Ok(model)
    }

    /// One vector for each text, one behind another. Texts need no NUL at their end.
    fn embed(&self, texts: &[&str]) -> Result<Vec<f32>, String> {
        let views: Vec<Text> = texts
            .iter()
            .map(|t| Text { data: t.as_ptr() as _, size: t.len(), pair_data: ptr::null(), pair_size: 0 })
            .collect();
        let mut out = vec![0f32; texts.len() * self.size];
        check(unsafe {
            klue_model_embed(self.handle, views.as_ptr(), views.len(), ptr::null(), out.as_mut_ptr(), out.len())
        })?;
        Ok(out)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        unsafe { klue_model_free(self.handle) }
    }
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 4 {
        return Err("Usage: similarity MODEL SENTENCE SENTENCE".into());
    }
    let model = Model::load(&arguments[1])?;
    let vectors = model.embed(&[&arguments[2], &arguments[3]])?;
    let (a, b) = vectors.split_at(model.size);
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f32>();
    println!("{:.4}", dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
    Ok(())
}
