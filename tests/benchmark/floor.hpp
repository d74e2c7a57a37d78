#pragma once

#include <vector>

#include "race.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg::bench {

/// What a sample cannot be had without. With S the weights of all layers and S1 those of the first:
struct Operations {
  double flops;
  double tanhs;
};
Operations of_value(const Mlp& model);     // 2 S flops
Operations of_gradient(const Mlp& model);  // 6 S - 2 S1: nobody asks for the derivative by the inputs
Operations of_product(const Mlp& model);   // 16 S - 10 S1

/// The least time for `samples` samples: their flops at this processor's peak of multiply-adds and their tanhs at the
/// kernel's pace, both measured next to the work.
std::vector<Part> floor(const Operations& sample, double samples);

/// The peak itself: a task and the flops of a call.
Task multiply_adds();
double multiply_add_flops();

}  // namespace thalweg::bench
