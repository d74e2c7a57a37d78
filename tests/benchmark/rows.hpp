#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "race.hpp"

namespace thalweg::bench {

/// How a time is printed: in seconds / `size`, or as a rate in 1/seconds / `size`.
struct Unit {
  std::string name;
  double size;
  bool rate = false;
};

/// A row of the table: a piece of work, what it is held against, and the largest ratio that will do, where one is set.
struct Row {
  std::string work, against;
  std::optional<double> reach;
  Unit unit;
  std::function<Result()> measure;

  std::string name() const { return work + " / " + against; }
};

/// Loss, gradient, Hessian-vector products.
std::vector<Row> kernel_rows();
/// Activations and what loss heads are made of.
std::vector<Row> function_rows();
/// Descents, diffusion, Runge-Kutta.
std::vector<Row> step_rows();
/// Surfaces, lattice solves, files.
std::vector<Row> field_rows();
/// Eigenpairs of a Hessian.
std::vector<Row> spectrum_rows();
/// Exponents of the time of a gradient in the number of samples and of parameters.
std::vector<Row> growth_rows();

}  // namespace thalweg::bench
