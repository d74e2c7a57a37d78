#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "thalweg/data/dataset.hpp"
#include "thalweg/energy/landscapes.hpp"
#include "thalweg/integrate/schemes.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg {

struct FlowSpec {
  std::string diffusion = "none";  // rows of diffusions(), joined by +
  std::string lattice = "neurons";
  double nu = 1e-3;
  double sigma = 1;
  int power = 1;
  std::optional<double> gamma;  // given: of second order, with this friction
  std::uint64_t seed = 0;  // of the permutation
};

struct StopSpec {
  std::optional<double> time, loss, grad_norm, wall;
  std::optional<std::int64_t> steps;
};

struct RecordSpec {
  int count = 50;          // equal intervals of the run
  std::int64_t every = 0;  // and after each so many steps
  std::vector<std::string> probes;
};

struct SurfaceSpec {
  std::string directions = "trajectory";
  int size = 61;
  std::optional<double> radius;
  std::uint64_t seed = 0;
};

struct StudySpec {
  std::vector<std::string> methods{"sgd", "momentum", "diffusion-sgd", "laplacian-sgd", "laplacian-sgd-permuted"};
  std::string factors = "data.kind=sine,islands,spirals,gaussians data.noise=0,0.2,0.4";
  std::vector<std::string> matching{"equal-step", "equal-effective-step"};
  int seeds = 12;
  std::string baseline = "sgd";
  std::vector<double> tuning{0.3, 1, 3, 10};  // of `tuned`: multiples of scheme.step that every method tries
  bool curves = true;
  std::string shard;               // "i/n": the i-th of n parts of the runs; empty: all
  std::vector<std::string> merge;  // directories of shards
};

/// Everything a command can be told; the keys of config.hpp name its members.
struct Settings {
  DataSpec data;
  std::string model_kind = "mlp";  // a network on data, or a row of landscapes()
  ModelSpec model;
  LandscapeSpec landscape;
  FlowSpec flow;
  std::string scheme = "sgd";
  SchemeSettings stepping;
  StopSpec stop;
  RecordSpec record;
  SurfaceSpec surface;
  int decision_size = 101;
  StudySpec study;
  std::string in_dir;
  std::string evaluate_weights, evaluate_data, evaluate_split = "train";
  std::uint64_t evaluate_seed = 0;
  std::string out_dir;
  bool overwrite = false, pictures = true;
  std::string petsc_options;
};

}  // namespace thalweg
