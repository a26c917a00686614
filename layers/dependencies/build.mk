# The layer of third-party packages: the locked wheels for PLATFORM, without files that no function opens.
include $(dir $(lastword $(MAKEFILE_LIST)))../build.mk

PACKAGES = $(ARTIFACTS_DIR)/python
REQUIREMENTS := $(SHARED)dependencies/requirements.txt
# boto3 carries the description of every AWS service, 10 times the size of everything else together.
SERVICES := codedeploy|dynamodb|kms|lambda|secretsmanager|sqs

build-DependenciesLayer:
	$(require-uv)
	$(UV) pip install --quiet --no-config --python "$(PYTHON)" --python-platform $(PLATFORM) --only-binary :all: \
		--require-hashes --no-deps --link-mode copy --target $(PACKAGES) -r $(REQUIREMENTS)
	find $(PACKAGES)/botocore/data -mindepth 1 -maxdepth 1 -type d | grep -vE '/($(SERVICES))$$' | xargs rm -rf
	rm -rf $(PACKAGES)/bin $(PACKAGES)/boto3/examples $(PACKAGES)/.lock
	find $(PACKAGES) -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
	find $(PACKAGES) \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -path '*.dist-info/RECORD' \
		-o -path '*.dist-info/uv_cache.json' -o -path '*.dist-info/direct_url.json' \) -delete
	$(call clean-and-compile,$(PACKAGES),/opt/python)
