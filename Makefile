# The verbs of the book. `make book` and `make test` need Python 3.11+, pip and
# make; everything else they install themselves, into .venv and node_modules.

PYTHON ?= python3
RUN := .venv/bin/python
# Two small cores: more threads make the book's small arrays slower.
export OMP_NUM_THREADS ?= 1

.PHONY: help setup book serve paper test test-all portable planted notebooks lab models lint linkcheck experiments bottleneck translator mutants lock newest clean

help:             ## say what each verb does
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup:            ## make .venv and node_modules from the locks (nothing to do if unchanged)
	@$(PYTHON) tools/environment.py

book: setup       ## build the site from the committed outputs (if they changed) and say where it is
	@$(RUN) tools/site.py build

serve: book       ## show the built site on this machine
	@$(RUN) tools/site.py serve

paper: book       ## PDF and EPUB of the whole book, linked from the site's first page (needs Chromium)
	@$(RUN) tools/paper.py

test: setup       ## every check: code, notebooks (executed and compared), built site
	@$(RUN) tools/test.py

test-all: setup   ## the slow ones too: logs made again, all pages in all modes, other arithmetics
	@$(RUN) tools/test.py --all

portable: setup   ## what compares trained numbers, as four different processors would compute
	@$(RUN) tools/portable.py

planted: setup    ## plant faults: what compares trained numbers must see them in each arithmetic
	@$(RUN) tools/planted.py

notebooks: setup  ## execute every notebook afresh and store its outputs
	@$(RUN) tools/notebooks.py run

lab: setup        ## open the notebooks in JupyterLab
	@$(RUN) -m jupyter lab chapters

models: setup     ## fetch the real weights of the chapter on today's models (212 MB)
	@$(RUN) tools/models.py

lint: setup       ## the fast checks: style, imports, spelling, scripts, notebooks, prose
	@$(RUN) tools/lint.py --book

linkcheck: setup  ## ask every address outside the site whether it still answers (needs the internet)
	@$(RUN) tools/links.py

# The test of the pronouns takes the models apart that translation.py leaves behind.
FIRST = experiments/translation.py
EXPERIMENTS = $(FIRST) $(filter-out $(FIRST) experiments/common.py, $(sort $(wildcard experiments/*.py)))

experiments: setup ## run every long experiment afresh and store its log and weights (a night)
	@for script in $(EXPERIMENTS); do echo $$script; $(RUN) $$script || exit 1; done

bottleneck: setup ## only the one of chapters 1 and 2 (an hour and a half)
	@$(RUN) experiments/bottleneck.py

translator: setup ## only the model of chapter 10 (twenty minutes)
	@$(RUN) experiments/translation.py final

mutants: setup    ## mutation test of by_hand; MODULE=layers or transformer for those (up to an hour)
	@$(RUN) tools/mutants.py $(or $(MODULE),by_hand)

lock:             ## write the locks of Python's packages from the environment as it is
	@$(PYTHON) tools/environment.py --lock

newest:           ## take the newest versions instead of the locked ones
	@$(PYTHON) tools/environment.py --newest

clean:            ## remove everything built; the environment stays
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
