#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "thalweg/data/dataset.hpp"
#include "thalweg/energy/landscapes.hpp"
#include "thalweg/energy/smoothing.hpp"
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
  double mu = 1e-3;
  std::string output_points = "data";
  Index output_count = 256;
  double heat = 1e-3;
  Index draws = 1;
  LocalEntropy entropy{.tau = 1e-4};
  double tau = 1e-4;
  std::uint64_t seed = 0;  // of the permutation and of uniform collocation points
};

struct StopSpec {
  std::optional<double> time, loss, grad_norm, wall;
  std::optional<std::int64_t> steps, gradients;
};

struct RecordSpec {
  int count = 50;               // equal intervals of the run
  std::int64_t every = 0;       // and after each so many steps
  std::int64_t checkpoint = 0;  // steps between two checkpoints; 0: none
  std::vector<std::string> probes;
};

struct SurfaceSpec {
  std::string directions = "trajectory";
  int dimensions = 2;          // surface only; train draws a plane
  std::vector<int> size{61};   // nodes along each axis; the last repeats
  std::vector<double> radius;  // along each axis; the last repeats
  std::vector<std::string> values{"loss"};
  std::string precision = "double";   // a row of surface_precisions()
  std::vector<std::string> runs;      // directories of further runs
  std::vector<double> heat;           // heat times of the smoothed surfaces
  double bezier = 0;                  // training time of the path to the first of `runs`
  std::optional<double> persistence;  // of the shallowest basin that counts
  std::uint64_t seed = 0;
};

struct SpectrumSpec {
  std::string matrix = "hessian";
  int count = 5, bottom = 2;
  double tolerance = 1e-8;
  int probes = 30;                  // products behind each estimate of the trace
  int steps = 60, vectors = 10;     // of the density: Lanczos steps of so many random vectors
  std::optional<double> bandwidth;  // of the density
  int path = 0;                     // recorded states along which the top pairs are followed
  std::uint64_t seed = 0;
};

struct StudySpec {
  std::vector<std::string> methods{"sgd",    "momentum",     "diffusion-sgd", "laplacian-sgd", "laplacian-sgd-permuted",
                                   "output", "smoothed-sgd", "langevin"};
  std::string factors = "data.kind=sine,islands,spirals,gaussians data.noise=0,0.1,0.2,0.3,0.4";
  std::vector<std::string> matching{"equal-step", "equal-effective-step", "tuned"};
  int seeds = 16;
  std::string baseline = "sgd";
  std::vector<double> tuning{0.3, 1, 3, 10};  // of `tuned`: multiples of scheme.step that every method tries
  bool geometry = true, curves = true;
  std::string shard;               // "i/n": the i-th of n parts of the runs; empty: all
  std::vector<std::string> merge;  // directories of shards
};

struct SchemesSpec {
  std::vector<std::string> names{"auto"};
  std::vector<double> steps;  // empty: halvings as long as they help
  std::vector<double> tolerances{1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8};
  std::string reference = "auto";
  double reference_tolerance = 1e-12;
  std::vector<double> accuracies{1e-2, 1e-4, 1e-6};
  std::int64_t most_steps = 10000;
  int repeats = 3;
  bool stability = true;
};

struct LimitSpec {
  std::string kind = "step";
  std::vector<double> steps;  // empty: halvings
  std::vector<double> thetas{0, 0.25, 0.5, 0.75, 1};
  int runs = 256;         // members of an ensemble
  int amplification = 8;  // l of SVAG
};

/// Everything a command can be told; the keys of config.hpp name its members.
struct Settings {
  DataSpec data;
  bool data_parallel = false;      // mpirun: the ranks train one network together
  std::string model_kind = "mlp";  // a network on data, or a row of landscapes()
  ModelSpec model;
  LandscapeSpec landscape;
  FlowSpec flow;
  std::string scheme = "sgd";
  SchemeSettings stepping;
  StopSpec stop;
  RecordSpec record;
  SurfaceSpec surface;
  SpectrumSpec spectrum;
  int decision_size = 101;
  StudySpec study;
  SchemesSpec schemes;
  LimitSpec limit;
  std::string in_dir;
  std::string evaluate_weights, evaluate_data, evaluate_split = "train";
  std::uint64_t evaluate_seed = 0;
  std::string out_dir;
  bool overwrite = false, pictures = true;
  std::string petsc_options;
};

}  // namespace thalweg
