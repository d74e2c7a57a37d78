#pragma once

#include "thalweg/data/dataset.hpp"

namespace thalweg {

/// The user's own table, split at random and standardised on the training split; labels clean, fragments all 0.
Dataset read_user_table(const DataSpec& spec);

}  // namespace thalweg
