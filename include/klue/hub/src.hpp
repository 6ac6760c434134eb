#pragma once

/// The definitions of the room `hub`, to be compiled exactly once in a program.

#include <klue/hub/impl/c_api.ipp>
#include <klue/hub/impl/cache.ipp>
#include <klue/hub/impl/environment.ipp>
#include <klue/hub/impl/hub.ipp>
#include <klue/hub/impl/name.ipp>
#include <klue/hub/impl/needed_files.ipp>
#include <klue/hub/impl/server_text.ipp>

#if KLUE_WITH_DOWNLOAD
#include <klue/hub/impl/blob_download.ipp>
#include <klue/hub/impl/digest.ipp>
#include <klue/hub/impl/download.ipp>
#include <klue/hub/impl/file_lock.ipp>
#include <klue/hub/impl/http.ipp>
#include <klue/hub/impl/remote.ipp>
#else
#include <klue/hub/impl/no_download.ipp>
#endif
