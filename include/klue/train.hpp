#pragma once

/// Fine-tuning: klue::train, the component `train` of the package. See docs/fine-tuning.md.
#include <klue/train/batch.hpp>
#include <klue/train/model_directory.hpp>
#include <klue/train/network.hpp>
#include <klue/train/objective.hpp>
#include <klue/train/optimizer.hpp>
#include <klue/train/parameters.hpp>
#include <klue/train/trainer.hpp>
